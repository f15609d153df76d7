"""What a page says of a text beside the text: its headings, its beginning, its length."""
import re
from html import unescape

from talelio_backend.app_project.business.domain.rendered import TocEntry

# Characters of an excerpt.
EXCERPT_LENGTH = 300

_HEADINGS = {f'h{level}': level for level in range(1, 7)}
# Text in these belongs to something else than a paragraph.
_APART = frozenset({'pre', 'table', 'sup', 'li', 'figcaption', 'summary', 'dl'})
_VOID = frozenset({'br', 'hr', 'img', 'input', 'source', 'wbr'})
# `<` and `>` are escaped also within attributes.
_PIECE = re.compile(r'<(?P<end>/?)(?P<tag>[a-z0-9]+)(?P<attributes>[^>]*)>|(?P<text>[^<]+)')
_ID = re.compile(r' id="([^"]*)"')
# A callout's title stands for no beginning of a text.
_TITLE = ' class="markdown-alert-title"'
# Ideographs and kana have no spaces between their words, of two letters or so.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’.-]\w+)*")


class Outline:
    """Reads HTML that was cleaned, so that each element is closed."""

    def __init__(self, html: str) -> None:
        self.toc: list[TocEntry] = []
        self.excerpt = ''
        self.words = 0
        self._open: list[str] = []
        # The headings that the next one may be below, with their levels.
        self._above: list[tuple[int, TocEntry]] = []
        self._heading: TocEntry | None = None
        self._paragraph: list[str] | None = None
        for piece in _PIECE.finditer(html):
            if piece['text']:
                self._read_text(unescape(piece['text']))
            elif piece['tag'] in _VOID:
                self._read_text(' ')
            elif piece['end']:
                self._end(piece['tag'])
            else:
                self._begin(piece['tag'], piece['attributes'])

    def _begin(self, tag: str, attributes: str) -> None:
        id_ = _ID.search(attributes)
        if tag in _HEADINGS and id_ and self._heading is None:
            self._heading = {'id': unescape(id_[1]), 'text': '', 'children': []}
            self._place(_HEADINGS[tag], self._heading)
        if tag == 'p' and not self.excerpt and attributes != _TITLE and not _APART.intersection(self._open):
            self._paragraph = []
        self._open.append(tag)

    def _end(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag in _HEADINGS and self._heading is not None:
            self._heading['text'] = ' '.join(self._heading['text'].split())
            self._heading = None
        if tag == 'p' and self._paragraph is not None:
            self.excerpt = shorten(' '.join(''.join(self._paragraph).split()))
            self._paragraph = None

    def _read_text(self, data: str) -> None:
        self.words += len(_WORD.findall(data))
        if self._heading is not None:
            self._heading['text'] += data
        # The mark of a footnote is none of the text.
        if self._paragraph is not None and 'sup' not in self._open:
            self._paragraph.append(data)

    def _place(self, level: int, entry: TocEntry) -> None:
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        (self._above[-1][1]['children'] if self._above else self.toc).append(entry)
        self._above.append((level, entry))


def shorten(text: str) -> str:
    if len(text) <= EXCERPT_LENGTH:
        return text
    whole_words = text[:EXCERPT_LENGTH].rpartition(' ')[0]
    return (whole_words or text[:EXCERPT_LENGTH - 1]).rstrip(' ,.;:') + '…'
