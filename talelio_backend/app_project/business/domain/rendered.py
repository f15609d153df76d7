"""The result of rendering. It imports nothing, which keeps the rendering process small."""
from typing import Literal, TypedDict


class TocEntry(TypedDict):
    """A heading and its subheadings."""

    id: str
    text: str
    children: list['TocEntry']


WarningReason = Literal['element', 'element_with_content', 'attribute', 'address', 'nesting', 'footnote_name',
                        'front_matter']


class RenderWarning(TypedDict):
    """A part of the body that the HTML lacks."""

    reason: WarningReason
    # Counted from 1. 0 if unknown.
    line: int
    # A quotation, shortened.
    text: str


class Rendered(TypedDict):
    # Safe to embed in a page.
    html: str
    # The plain text of the first paragraph, shortened. Empty without a paragraph.
    excerpt: str
    toc: list[TocEntry]
    words: int
    warnings: list[RenderWarning]
