"""Compares HTML by what a reader gets: elements, attributes and text, not how they are written."""
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import html as libxml

_CODE = re.compile(r'<div class="highlight">(<pre>.*?</pre>)</div>', re.DOTALL)
_COLOUR = re.compile(r'<span class="[a-z0-9]{1,3}">|</span>')


def shape_of(html: str) -> list[object]:
    """Leave out the ids of headings, Pygments' spans, space between blocks, and how addresses are encoded."""
    plain = _CODE.sub(lambda block: _COLOUR.sub('', block[1]), html)
    joined: list[object] = []
    for piece in _pieces(libxml.fragment_fromstring(plain, create_parent='div'), in_code=False):
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    stripped = (piece.strip() if isinstance(piece, str) else piece for piece in joined)
    return [piece for piece in stripped if piece != '']


def _pieces(element: libxml.HtmlElement, *, in_code: bool) -> Iterator[object]:
    in_code = in_code or element.tag == 'pre'
    attributes = {
        name: unquote(value)
        for name, value in element.attrib.items()
        if not (name == 'id' and re.fullmatch('h[1-6]', element.tag))
    }
    yield element.tag, attributes
    yield _text(element.text, in_code)
    for child in element:
        yield from _pieces(child, in_code=in_code)
        yield _text(child.tail, in_code)
    yield ('/' + element.tag, )


def _text(text: str | None, in_code: bool) -> str:
    return (text or '') if in_code else re.sub(r'\s+', ' ', text or '')
