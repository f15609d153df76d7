"""Apart from the project, for the process that renders imports no more than it needs."""
from typing import Literal, TypedDict


class TocEntry(TypedDict):
    """A heading, and those below it."""

    id: str
    text: str
    children: list['TocEntry']


WarningReason = Literal['element', 'element_with_content', 'attribute', 'address', 'nesting', 'footnote_name']


class RenderWarning(TypedDict):
    """What of a body is not shown."""

    reason: WarningReason
    # Counted from 1; 0 where it is not known.
    line: int
    # As it was written, shortened.
    text: str


class Rendered(TypedDict):
    """What is made of a body."""

    # Safe to put into a page.
    html: str
    # The plain text of the first paragraph, shortened; empty if there is none.
    excerpt: str
    toc: list[TocEntry]
    words: int
    warnings: list[RenderWarning]
