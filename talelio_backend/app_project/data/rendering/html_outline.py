"""The table of contents, the excerpt and the number of words of a text."""
import re
from html import unescape

from talelio_backend.app_project.business.domain.rendered import TocEntry
from talelio_backend.app_project.business.domain.truncation import truncate

EXCERPT_LENGTH = 300

_HEADINGS = {f'h{level}': level for level in range(1, 7)}
# Paragraphs within these are not used as the excerpt.
_APART = frozenset({'pre', 'table', 'sup', 'li', 'figcaption', 'summary', 'dl'})
_VOID = frozenset({'br', 'hr', 'img', 'input', 'source', 'wbr'})
# The sanitizer escapes `<` and `>` even within attributes.
_PIECE = re.compile(r'<(?P<end>/?)(?P<tag>[a-z0-9]+)(?P<attributes>[^>]*)>|(?P<text>[^<]+)')
_ID = re.compile(r' id="([^"]*)"')
# The title of an alert is not used as the excerpt.
_TITLE = ' class="markdown-alert-title"'
# Chinese and Japanese have no spaces. Their words have about two characters.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’.-]\w+)*")


class Outline:
    """Expects sanitized HTML, in which every element is closed."""

    def __init__(self, html: str) -> None:
        self.toc: list[TocEntry] = []
        self.excerpt = ''
        self.words = 0
        self._open: list[str] = []
        # The levels and entries that the next heading may belong to.
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
        # Leave out references to footnotes.
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
    return truncate(text, EXCERPT_LENGTH - 1).rstrip(' ,.;:，。、；：') + '…'
