"""Makes sanitized HTML fit for feed readers, which show it away from its page."""
import re

import nh3

from talelio_backend.app_project.data.rendering.html_elements import ATTRIBUTES, KEPT, SCHEMES

# The W3C's feed validator warns about the others. Their content is shown, and a frame becomes a link.
_TAGS = KEPT - {'bdo', 'rb', 'rtc'} | {'iframe'}
# What the renderer adds after sanitizing. The addresses in `srcset` are absolute already.
_ADDED = {
    'iframe': {'src'},
    'img': {'loading', 'decoding', 'srcset', 'sizes'},
    'input': {'type', 'disabled'},
    'td': {'align'},
    'th': {'align'},
}
_ATTRIBUTES = {
    tag: ATTRIBUTES.get(tag, frozenset()) | _ADDED.get(tag, set())
    for tag in {*ATTRIBUTES, *_ADDED}
}
# nh3 escapes `<` and `"` everywhere else.
_FRAME = re.compile('<iframe src="([^"]*)"></iframe>')


def to_portable_html(html: str, page: str) -> str:
    """Resolve relative addresses, also those within the text, against the URL of the page."""
    # pylint: disable-next=no-member
    portable = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=set(),
        attributes=_ATTRIBUTES,
        url_schemes=SCHEMES,
        url_relative=('rewrite_with_base', page),
        link_rel=None
    )
    return _FRAME.sub(r'<a href="\1">\1</a>', portable)
