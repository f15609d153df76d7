"""What a page can take as it is: rules written apart from the sanitizer's, and read by other parsers."""
import re
from html.parser import HTMLParser

from lxml import html as libxml

from talelio_backend.app_project.data.rendering.sanitizer import sanitize

TAGS = set(
    'a abbr audio b bdi bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption '
    'figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rb rp rt rtc ruby s samp small '
    'source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video '
    'wbr'.split()
)
ATTRIBUTES = {
    'id':
    r'user-content-(?s:.*)',
    'class':
    r'((gallery|math|inline|display|markdown-alert(-(title|note|tip|important|warning|caution))?|highlight'
    r'|footnote(-(back)?ref)?|task-list(-item)?|filename|hll|[a-z]{1,3}[12]?'
    r'|(language|md)-[\w#.+-]+)( |$))+',
    'href':
    r'(?s:.*)',
    'src':
    r'(?s:.*)',
    'title':
    r'(?s:.*)',
    'alt':
    r'(?s:.*)',
    'rel':
    r'(me )?noopener nofollow|me',
    'dir':
    r'(?i:ltr|rtl|auto)',
    'lang':
    r'(?s:.*)',
    'datetime':
    r'(?s:.*)',
    'poster':
    r'(?s:.*)',
    'controls':
    r'',
    'loop':
    r'(?s:.*)',
    'muted':
    r'(?s:.*)',
    'playsinline':
    r'(?s:.*)',
    'reversed':
    r'(?s:.*)',
    'scope':
    r'(row|col)(group)?',
    'align':
    r'left|center|right',
    'type':
    r'checkbox|(audio|video)/[\w.+-]+',
    'disabled':
    r'',
    'checked':
    r'',
    'open':
    r'(?s:.*)',
    'loading':
    r'lazy',
    'decoding':
    r'async',
    'start':
    r'-?\d+',
    'width':
    r'\d{1,4}',
    'height':
    r'\d{1,4}',
    'colspan':
    r'\d{1,3}',
    'rowspan':
    r'\d{1,3}'
}
ADDRESSES = ('href', 'src', 'poster')


def assert_safe(html: str) -> None:
    """Also that cleaning it again changes nothing."""
    inspector = _Inspector()
    inspector.feed(html)
    inspector.close()
    assert len(set(inspector.ids)) == len(inspector.ids)
    _assert_safe_for_libxml(html)
    assert sanitize(html) == html


class _Inspector(HTMLParser):

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        values = {name: value or '' for name, value in attrs}
        for name, value in values.items():
            assert re.fullmatch(ATTRIBUTES[name], value), (tag, name, value)
        for name in ADDRESSES:
            _assert_address(values.get(name, ''))
        if tag == 'a' and values.get('href', '').lower().startswith(('http:', 'https:', '//')):
            assert 'nofollow' in values['rel']
        if tag in ('audio', 'video', 'source'):
            for address in (values.get('src', ''), values.get('poster', '')):
                assert address.lower().startswith('https://') or ':' not in address
        assert tag != 'input' or {'type', 'disabled'} <= values.keys()
        if 'id' in values:
            self.ids.append(values['id'])

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def _assert_safe_for_libxml(html: str) -> None:
    # libxml2 ends a text at a NUL, which is text for the others.
    for fragment in libxml.fragments_fromstring(html.replace('\0', '')) if html.strip() else ():
        for element in [] if isinstance(fragment, str) else fragment.iter():
            assert element.tag in TAGS, element.tag
            for name, value in element.attrib.items():
                assert name in ATTRIBUTES, name
                if name in ADDRESSES:
                    _assert_address(value)


def _assert_address(address: str) -> None:
    """As a browser reads it: without controls and spaces around, nor tabs and newlines within."""
    seen = re.sub(r'[\t\n\r]', '', address.strip(''.join(chr(code) for code in range(33))))
    scheme = re.match(r'([a-zA-Z][a-zA-Z0-9+.-]*):', seen)
    assert scheme is None or scheme[1].lower() in ('http', 'https', 'mailto', 'sms', 'tel'), address
