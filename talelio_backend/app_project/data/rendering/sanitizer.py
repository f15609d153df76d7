"""What of somebody else's HTML a page can take as it is."""

import re
from collections import Counter
from collections.abc import Callable

import nh3
from pygments.token import STANDARD_TYPES

from talelio_backend.app_project.data.rendering.html_elements import ATTRIBUTES, DROPPED_WITH_CONTENT, KEPT

# An element with an id becomes a property of `window`, so that `id="location"` shadows what scripts
# of the page rely on. No script uses names of this form, which GitHub has made known.
ID_PREFIX = 'user-content-'

# Cleaning can uncover a nesting that the next parser reads differently. Real texts need one round,
# and a second that proves it; few made ones need a fourth.
MAX_ROUNDS = 8

_ALIGNMENTS = {'align': frozenset({'left', 'center', 'right'})}
# What every picture gets, so that one far down the page costs nobody who does not read so far.
_OF_IMAGES = {'loading': 'lazy', 'decoding': 'async'}
_ATTRIBUTE_VALUES = {
    'img': {
        name: frozenset({value})
        for name, value in _OF_IMAGES.items()
    },
    'td': _ALIGNMENTS,
    'th': _ALIGNMENTS,
}
# A video without controls could only be one that plays by itself.
_FORCED_ATTRIBUTES = {
    'input': {
        'type': 'checkbox'
    },
    'audio': {
        'controls': ''
    },
    'video': {
        'controls': ''
    },
}
_SCHEMES = frozenset({'http', 'https', 'mailto', 'sms', 'tel'})
_SCHEME = re.compile(r'([a-zA-Z][a-zA-Z0-9+.-]*):')
# What a page served over https may embed.
_OF_MEDIA = {
    name: re.compile(r'https://.+|(?!//)[^:]+', re.DOTALL | re.IGNORECASE)
    for name in ('poster', 'src')
}
_VALUES = {
    'width': re.compile(r'[0-9]{1,4}'),
    'height': re.compile(r'[0-9]{1,4}'),
    'colspan': re.compile(r'[0-9]{1,3}'),
    'rowspan': re.compile(r'[0-9]{1,3}'),
    'start': re.compile(r'-?[0-9]{1,9}'),
    'dir': re.compile(r'ltr|rtl|auto', re.IGNORECASE),
    'scope': re.compile(r'(row|col)(group)?'),
    'type': re.compile(r'(checkbox|(audio|video)/[\w.+-]+)'),
}

# Any other class could be one that the page's own style sheet knows: `fixed inset-0` would lay an
# element over the whole page. Authors may use those that begin with `md-`.
_CLASSES = {
    *STANDARD_TYPES.values(), 'highlight', 'filename', 'hll', 'footnote', 'footnote-ref', 'footnote-backref',
    'task-list', 'task-list-item', 'markdown-alert', 'markdown-alert-title', 'markdown-alert-note',
    'markdown-alert-tip', 'markdown-alert-important', 'markdown-alert-warning', 'markdown-alert-caution',
    'math', 'inline', 'display', 'gallery'
}
_CLASS_PATTERN = re.compile(r'language-[\w#.+-]{1,40}|md-[\w-]{1,40}', re.ASCII)

_INPUT = re.compile(
    r'(?P<task><li(?=[^>]*\sclass="(?:[^"]*\s)?task-list-item[\s"])[^>]*>\s*(?:<p[^>]*>\s*)?)?'
    r'<input(?P<attributes>[^>]*)>'
)
_IMAGE = re.compile(r'<img(?P<attributes>[^>]*)>')
_LINK = re.compile(r'<a(?P<attributes> [^>]*)>')
_REL = re.compile(r' rel="([^"]*)"')
_ELSEWHERE = re.compile(r' href="[ \t\n\r\f\0-\x1f]*(?:https?:|[/\\]{2})', re.IGNORECASE)
_NEWLINES_AT_START_OF_PRE = re.compile(r'(<pre[^>]*>)\n+')
# A browser strips these from around an address.
_CONTROLS_AND_SPACE = ''.join(chr(code) for code in range(33))


class Unsettled(Exception):
    """The HTML is read differently each time that it is written anew."""


def sanitize(html: str) -> str:
    """Return what is left of HTML after everything that is not on the lists is taken out.

    Cleaning the result again does not change it. Raises Unsettled where that cannot be reached.
    """
    for _ in range(MAX_ROUNDS):
        cleaned = _clean(html)
        if cleaned == html:
            return cleaned
        html = cleaned
    raise Unsettled


def _clean(html: str) -> str:
    # pylint: disable-next=no-member
    cleaned = nh3.clean(
        html,
        tags=KEPT,
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=ATTRIBUTES,
        tag_attribute_values=_ATTRIBUTE_VALUES,
        set_tag_attribute_values=_FORCED_ATTRIBUTES,
        attribute_filter=_attribute_filter(),
        url_schemes=_SCHEMES,
        url_relative='pass_through',
        link_rel=None,
        strip_comments=True
    )
    # Cleaned text has `<` and `>` escaped even within attributes, so that what looks like a tag is one.
    cleaned = _INPUT.sub(_task_checkbox, cleaned)
    cleaned = _IMAGE.sub(_lazy_image, cleaned)
    cleaned = _LINK.sub(_related_link, cleaned)
    # A parser drops the first newline; another one after it would be dropped next time.
    return _NEWLINES_AT_START_OF_PRE.sub(r'\1', cleaned)


def _task_checkbox(match: re.Match[str]) -> str:
    if not match['task']:
        return ''
    checked = ' checked=""' if ' checked' in match['attributes'] else ''
    return f'{match["task"]}<input type="checkbox" disabled=""{checked}>'


def _lazy_image(match: re.Match[str]) -> str:
    attributes = match['attributes']
    for name, value in _OF_IMAGES.items():
        # Within a value, the quotes would be escaped.
        if f' {name}="' not in attributes:
            attributes += f' {name}="{value}"'
    return f'<img{attributes}>'


def _related_link(match: re.Match[str]) -> str:
    """Vouch for no link that leads elsewhere, but for those of the author's own (`rel="me"`)."""
    attributes = match['attributes']
    given = _REL.search(attributes)
    rel = ['me'] if given and 'me' in given[1].lower().split() else []
    if _ELSEWHERE.search(attributes):
        rel += 'noopener', 'nofollow'
    said = f' rel="{" ".join(rel)}"' if rel else ''
    return f'<a{_REL.sub("", attributes)}{said}>'


def keeps(tag: str, name: str, value: str) -> bool:
    """Tell whether cleaning leaves an element its attribute as it is."""
    if name == 'class':
        return len((_classes(value) or '').split()) == len(value.split())
    if value in _ATTRIBUTE_VALUES.get(tag, {}).get(name, ()):
        return True
    if name not in ATTRIBUTES['*'] and name not in ATTRIBUTES.get(tag, ()):
        return False
    if name in ('href', 'src'):
        scheme = _SCHEME.match(value.strip(_CONTROLS_AND_SPACE))
        if scheme and scheme[1].lower() not in _SCHEMES:
            return False
    return _allowed(tag, name, value) is not None


def _attribute_filter() -> Callable[[str, str, str], str | None]:
    unique_id = _UniqueIds()

    def keep(tag: str, name: str, value: str) -> str | None:
        # It is asked about elements that are on their way out as well.
        if tag not in KEPT:
            return None
        if name == 'id':
            return unique_id(value) if value else None
        return _allowed(tag, name, value)

    return keep


def _allowed(tag: str, name: str, value: str) -> str | None:
    if name == 'class':
        return _classes(value)
    if name == 'href':
        return _href(value)
    pattern = _OF_MEDIA.get(name) if tag in ('audio', 'source', 'video') else None
    pattern = pattern or _VALUES.get(name)
    return value if pattern is None or pattern.fullmatch(value) else None


class _UniqueIds:
    """Gives every id the prefix, unless it has it, and a number from the second of its name on."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def __call__(self, value: str) -> str:
        base = unique = _prefixed(value)
        while unique in self._given:
            self._repeats[base] += 1
            unique = f'{base}-{self._repeats[base] + 1}'
        self._given.add(unique)
        return unique


def _href(value: str) -> str:
    trimmed = value.strip(_CONTROLS_AND_SPACE)
    # `#` and `#top` mean the top of the page, and no element.
    if trimmed.startswith('#') and trimmed not in ('#', '#top'):
        return '#' + _prefixed(trimmed[1:])
    return value


def _prefixed(value: str) -> str:
    return value if value.startswith(ID_PREFIX) else ID_PREFIX + value


def _classes(value: str) -> str | None:
    kept = (name for name in value.split() if name in _CLASSES or _CLASS_PATTERN.fullmatch(name))
    return ' '.join(kept) or None
