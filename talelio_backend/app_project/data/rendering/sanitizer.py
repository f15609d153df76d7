"""Reduces untrusted HTML to elements and attributes that are safe in any page."""
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

import nh3
from pygments.token import STANDARD_TYPES

from talelio_backend.app_project.data.rendering.html_elements import (
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    KEPT,
    SCHEMES,
)
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts

# GitHub's prefix prevents DOM clobbering: an element with the id `location` would shadow `window.location`.
ID_PREFIX = 'user-content-'

# Sanitized HTML may parse differently. Real texts are stable after one round and a second one to prove it.
# Few crafted texts need a fourth.
MAX_ROUNDS = 8

_ALIGNMENTS = {'align': frozenset({'left', 'center', 'right'})}
# For all images, which browsers then load only when they come near the viewport.
_IMAGE_ATTRIBUTES = {'loading': 'lazy', 'decoding': 'async'}
_ATTRIBUTE_VALUES = {
    'img': {
        name: frozenset({value})
        for name, value in _IMAGE_ATTRIBUTES.items()
    },
    'td': _ALIGNMENTS,
    'th': _ALIGNMENTS,
}
# Without controls, only autoplay could start a video.
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
_SCHEME = re.compile(r'([a-zA-Z][a-zA-Z0-9+.-]*):')
# A page served over HTTPS may embed these.
_MEDIA_VALUES = {
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

# Other classes could match the page's style sheet: `fixed inset-0` would cover the whole page. Authors may
# use classes that begin with `md-`.
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
_EXTERNAL = re.compile(r' href="[ \t\n\r\f\0-\x1f]*(?:https?:|[/\\]{2})', re.IGNORECASE)
_WEB_HOST = re.compile(r' href="https?://([a-z0-9.-]+)(?::[0-9]+)?(?=[/?#"])', re.IGNORECASE)
_NEWLINES_AT_START_OF_PRE = re.compile(r'(<pre[^>]*>)\n+')
# Browsers strip these from URLs.
_CONTROLS_AND_SPACE = ''.join(chr(code) for code in range(33))


class UnstableHtml(Exception):
    """Sanitizing the HTML repeatedly does not converge."""


def sanitize(html: str, hosts: TrustedHosts = TrustedHosts()) -> str:
    """Remove everything that is not on the lists, and mark links to other sites.

    Sanitizing the result again does not change it. Raises UnstableHtml if there is no such result.
    """
    for _ in range(MAX_ROUNDS):
        cleaned = _clean(html, hosts)
        if cleaned == html:
            return cleaned
        html = cleaned
    raise UnstableHtml


def _clean(html: str, hosts: TrustedHosts) -> str:
    # pylint: disable-next=no-member
    cleaned = nh3.clean(
        html,
        tags=KEPT,
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=ATTRIBUTES,
        tag_attribute_values=_ATTRIBUTE_VALUES,
        set_tag_attribute_values=_FORCED_ATTRIBUTES,
        attribute_filter=_attribute_filter(),
        url_schemes=SCHEMES,
        url_relative='pass_through',
        link_rel=None,
        strip_comments=True
    )
    # nh3 escapes `<` and `>` even within attributes, so regular expressions can find the tags.
    cleaned = _INPUT.sub(_task_checkbox, cleaned)
    cleaned = _IMAGE.sub(_lazy_image, cleaned)
    cleaned = _LINK.sub(partial(_related_link, hosts), cleaned)
    # A parser drops the first newline in a <pre>. Drop all, to be stable.
    return _NEWLINES_AT_START_OF_PRE.sub(r'\1', cleaned)


def _task_checkbox(match: re.Match[str]) -> str:
    if not match['task']:
        return ''
    checked = ' checked=""' if ' checked' in match['attributes'] else ''
    return f'{match["task"]}<input type="checkbox" disabled=""{checked}>'


def _lazy_image(match: re.Match[str]) -> str:
    attributes = match['attributes']
    for name, value in _IMAGE_ATTRIBUTES.items():
        # Quotes within a value would be escaped.
        if f' {name}="' not in attributes:
            attributes += f' {name}="{value}"'
    return f'<img{attributes}>'


def _related_link(hosts: TrustedHosts, match: re.Match[str]) -> str:
    """Set `rel` of links to other sites, and keep `rel="me"`, which marks a profile of the author."""
    attributes = match['attributes']
    given = _REL.search(attributes)
    rel = ['me'] if given and 'me' in given[1].lower().split() else []
    host = _WEB_HOST.search(attributes)
    if _EXTERNAL.search(attributes) and not (host and hosts.is_own(host[1])):
        rel += 'noopener', 'nofollow'
    added = f' rel="{" ".join(rel)}"' if rel else ''
    return f'<a{_REL.sub("", attributes)}{added}>'


def keeps(tag: str, name: str, value: str) -> bool:
    """Return whether sanitizing keeps the attribute unchanged."""
    if name == 'class':
        return len((_classes(value) or '').split()) == len(value.split())
    if value in _ATTRIBUTE_VALUES.get(tag, {}).get(name, ()):
        return True
    if name not in ATTRIBUTES['*'] and name not in ATTRIBUTES.get(tag, ()):
        return False
    if name in ('href', 'src'):
        scheme = _SCHEME.match(value.strip(_CONTROLS_AND_SPACE))
        if scheme and scheme[1].lower() not in SCHEMES:
            return False
    return _allowed(tag, name, value) is not None


def _attribute_filter() -> Callable[[str, str, str], str | None]:
    unique_id = _UniqueIds()

    def keep(tag: str, name: str, value: str) -> str | None:
        # nh3 also calls this for elements that it removes.
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
    pattern = _MEDIA_VALUES.get(name) if tag in ('audio', 'source', 'video') else None
    pattern = pattern or _VALUES.get(name)
    return value if pattern is None or pattern.fullmatch(value) else None


class _UniqueIds:
    """Prefixes ids, and appends numbers to repeated ones."""

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
    # `#` and `#top` mean the top of the page.

    if trimmed.startswith('#') and trimmed not in ('#', '#top'):
        return '#' + _prefixed(trimmed[1:])
    return value


def _prefixed(value: str) -> str:
    return value if value.startswith(ID_PREFIX) else ID_PREFIX + value


def _classes(value: str) -> str | None:
    kept = (name for name in value.split() if name in _CLASSES or _CLASS_PATTERN.fullmatch(name))
    return ' '.join(kept) or None
