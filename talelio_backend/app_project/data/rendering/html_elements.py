"""The HTML elements and attributes that a text may contain. Tags of any other name are shown as text."""

# Similar to GitHub's list.
KEPT = frozenset(
    'a abbr audio b bdi bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption '
    'figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rb rp rt rtc ruby s samp small '
    'source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video '
    'wbr'.split()
)

# Their content is code, invisible, or parsed by other rules than HTML's.
DROPPED_WITH_CONTENT = frozenset(
    'frameset iframe math noembed noframes noscript object script select style svg template '
    'textarea title xmp'.split()
)

# Their content stays. The list includes obsolete elements.
DROPPED = frozenset(
    'address area article aside base basefont big blink body button canvas center col colgroup data datalist '
    'dialog dir embed fieldset font footer form frame head header hgroup html label legend link main map '
    'marquee menu menuitem meta meter nav nobr optgroup option output param picture progress search section '
    'slot track'.split()
)

# The schemes of addresses.
SCHEMES = frozenset({'http', 'https', 'mailto', 'sms', 'tel'})

_CELL = frozenset({'colspan', 'rowspan'})
_MEDIA = frozenset({'src', 'controls', 'loop', 'muted'})

ATTRIBUTES = {
    '*': frozenset({'class', 'id', 'dir', 'lang'}),
    'a': frozenset({'href', 'title', 'rel'}),
    'abbr': frozenset({'title'}),
    'audio': _MEDIA,
    'bdo': frozenset({'title'}),
    'del': frozenset({'datetime'}),
    'details': frozenset({'open'}),
    'dfn': frozenset({'title'}),
    'img': frozenset({'src', 'alt', 'title', 'width', 'height'}),
    'input': frozenset({'checked'}),
    'ins': frozenset({'datetime'}),
    'ol': frozenset({'start', 'reversed'}),
    'source': frozenset({'src', 'type'}),
    'td': _CELL,
    'th': _CELL | {'scope'},
    'time': frozenset({'datetime'}),
    'video': _MEDIA | {'poster', 'width', 'height', 'playsinline'},
}
