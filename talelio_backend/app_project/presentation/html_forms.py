"""Other forms of a project's HTML and table of contents, made from the stored ones when they are read."""
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from talelio_backend.app_project.business.domain.rendered import TocEntry
from talelio_backend.shared.presentation.requests.query_parameters import Query, flag

# Each id in the HTML begins with it.
_ID_PREFIX = 'user-content-'

# The sanitizer escapes `<`, `>` and `"` within attributes, and Pygments writes nothing but spans.
_CODE = re.compile(r'(<pre[^<>]*><code[^<>]*>)([^<]*(?:</?span[^<>]*>[^<]*)*)(?=</code>)')
_SPAN = re.compile(r'</?span[^>]*>')
_TAG_WITH_ID = re.compile(rf'<[^<>]*"#?{_ID_PREFIX}[^<>]*>')
_ID = re.compile(rf'( (?:id="|href="#){_ID_PREFIX})')


@dataclass(frozen=True, kw_only=True)
class HtmlForm:
    highlight: bool = True
    unique_ids: bool = False

    def apply(self, content: dict[str, Any]) -> dict[str, Any]:
        """`content` is a project as JSON."""
        html, toc, id_ = content['html'], content['toc'], content['id']
        if not self.highlight:
            html = _CODE.sub(lambda code: code[1] + _SPAN.sub('', code[2]), html)
        if self.unique_ids:
            html = _TAG_WITH_ID.sub(lambda tag: _ID.sub(rf'\g<1>{id_}-', tag[0]), html)
            toc = _toc(toc, f'{_ID_PREFIX}{id_}-')
        return {**content, 'html': html, 'toc': toc}


STORED = HtmlForm()
# A client may have read any of them.
ALL = [HtmlForm(highlight=highlight, unique_ids=ids) for highlight in (True, False) for ids in (False, True)]


class HtmlQuery(Query):
    """The form of a project's `html`."""

    highlight: flag(  # type: ignore[valid-type]
        'Whether code in `html` has the spans of Pygments. Without them a page can highlight it itself.'
    ) = True
    unique_ids: flag(  # type: ignore[valid-type]
        "Whether the ids in `html` and `toc` contain the project's id, for several projects on one page."
    ) = False

    @property
    def form(self) -> HtmlForm:
        return HtmlForm(highlight=self.highlight, unique_ids=self.unique_ids)


def _toc(entries: Iterable[TocEntry], prefix: str) -> list[dict[str, Any]]:
    return [{
        'id': entry['id'].replace(_ID_PREFIX, prefix, 1),
        'text': entry['text'],
        'children': _toc(entry['children'], prefix)
    } for entry in entries]
