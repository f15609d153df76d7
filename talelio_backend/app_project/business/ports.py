from typing import Protocol


class MarkdownRenderer(Protocol):

    def render(self, markdown: str) -> str:
        """Return HTML that is safe to put into a page as it is.

        Raises TooExpensiveToRender when the text is over the bound in time, memory or output.
        """
