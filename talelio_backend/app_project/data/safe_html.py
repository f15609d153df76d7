"""What of somebody else's HTML a page can take as it is."""

import re
from collections import Counter
from collections.abc import Callable

import nh3
from pygments.token import STANDARD_TYPES

# An element with an id becomes a property of `window`, so that `id="location"` shadows what scripts
# of the page rely on. No script uses names of this form, which GitHub has made known.
ID_PREFIX = 'user-content-'

# Cleaning can uncover a nesting that the next parser reads differently. Real texts need one round,
# and a second that proves it; few made ones need a fourth.
MAX_ROUNDS = 8

_TAGS = frozenset(
    'a abbr b blockquote br code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 '
    'hr i img input ins kbd li mark ol p pre s samp small span strong sub summary sup table tbody td '
    'tfoot th thead tr u ul var'.split()
)
# Their content goes too: it is code, not meant to be seen, or read by other rules than HTML's.
_TAGS_DROPPED_WITH_CONTENT = frozenset(
    'frameset iframe math noembed noframes noscript object script select style svg template '
    'textarea title xmp'.split()
)
_CELL_ATTRIBUTES = frozenset({'colspan', 'rowspan'})
_ATTRIBUTES = {
    '*': frozenset({'class', 'id'}),
    'a': frozenset({'href', 'title'}),
    'abbr': frozenset({'title'}),
    'details': frozenset({'open'}),
    'img': frozenset({'src', 'alt', 'title', 'width', 'height'}),
    'input': frozenset({'checked'}),
    'ol': frozenset({'start'}),
    'td': _CELL_ATTRIBUTES,
    'th': _CELL_ATTRIBUTES,
}
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
_FORCED_ATTRIBUTES = {'input': {'type': 'checkbox'}}
_NUMBERS = {
    'width': re.compile(r'[0-9]{1,4}'),
    'height': re.compile(r'[0-9]{1,4}'),
    'colspan': re.compile(r'[0-9]{1,3}'),
    'rowspan': re.compile(r'[0-9]{1,3}'),
    'start': re.compile(r'-?[0-9]{1,9}'),
}

# Any other class could be one that the page's own style sheet knows: `fixed inset-0` would lay an
# element over the whole page. Authors may use those that begin with `md-`.
_CLASSES = {
    *STANDARD_TYPES.values(), 'highlight', 'filename', 'hll', 'footnote', 'footnote-ref', 'footnote-backref',
    'task-list', 'task-list-item'
}
_CLASS_PATTERN = re.compile(r'language-[\w#.+-]{1,40}|md-[\w-]{1,40}', re.ASCII)

_INPUT = re.compile(
    r'(?P<task><li(?=[^>]*\sclass="(?:[^"]*\s)?task-list-item[\s"])[^>]*>\s*(?:<p[^>]*>\s*)?)?'
    r'<input(?P<attributes>[^>]*)>'
)
_IMAGE = re.compile(r'<img(?P<attributes>[^>]*)>')
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
        tags=_TAGS,
        clean_content_tags=_TAGS_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        tag_attribute_values=_ATTRIBUTE_VALUES,
        set_tag_attribute_values=_FORCED_ATTRIBUTES,
        attribute_filter=_attribute_filter(),
        url_schemes={'http', 'https', 'mailto'},
        url_relative='pass_through',
        link_rel='noopener nofollow',
        strip_comments=True
    )
    # Cleaned text has `<` and `>` escaped even within attributes, so that what looks like a tag is one.
    cleaned = _INPUT.sub(_task_checkbox, cleaned)
    cleaned = _IMAGE.sub(_lazy_image, cleaned)
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


def _attribute_filter() -> Callable[[str, str, str], str | None]:
    unique_id = _UniqueIds()

    def keep(tag: str, name: str, value: str) -> str | None:
        # It is asked about elements that are on their way out as well.
        if tag not in _TAGS:
            return None
        if name == 'id':
            return unique_id(value) if value else None
        if name == 'class':
            return _classes(value)
        if name == 'href':
            return _href(value)
        if name in _NUMBERS:
            return value if _NUMBERS[name].fullmatch(value) else None
        return value

    return keep


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
