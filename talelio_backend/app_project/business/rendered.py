"""Apart from the project, for the process that renders imports no more than it needs."""
from typing import TypedDict


class TocEntry(TypedDict):
    """A heading, and those below it."""

    id: str
    text: str
    children: list['TocEntry']


class Rendered(TypedDict):
    """What is made of a body."""

    # Safe to put into a page.
    html: str
    # The plain text of the first paragraph, shortened; empty if there is none.
    excerpt: str
    toc: list[TocEntry]
    words: int
