"""Members of a body that the call does not know, with the field that their sender may have meant."""
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from talelio_backend.shared.business.errors import Fault
from talelio_backend.shared.presentation.requests.validation_errors import InvalidBody
from talelio_backend.shared.presentation.schemas import ContentBody

# A body of 2 MiB can have some 300,000 members.
_MAX_NAMED = 20
# How much of a name a hint must have in common with it.
_ALIKE = 0.7
# Characters of a name in the message.
_QUOTED = 80


def unknown_fields(schema: type[ContentBody], names: Iterable[str]) -> InvalidBody | None:
    """Return an error about those of `names` that the schema does not know, or None if it knows all."""
    known = schema.model_fields
    unknown = [name for name in names if name not in known and name not in schema.unread]
    if not unknown:
        return None
    meant = {_simplified(name): name for name in known}
    others = {_simplified(other): name for other, name in schema.other_names.items()}
    named = {name: _nearest(_simplified(name), meant, others) for name in unknown[:_MAX_NAMED]}
    quoted = [
        quoted_name(name) + (f" (did you mean '{near}'?)" if near else '') for name, near in named.items()
    ]
    if len(unknown) > _MAX_NAMED:
        quoted.append('…')
    takes = ', '.join(f"'{name}'" for name in known) or 'none'
    return InvalidBody(
        f'Unknown field{"s" if len(named) > 1 else ""} {", ".join(quoted)}; this path takes {takes}',
        [
            Fault((name, ), f"is unknown; did you mean '{near}'?" if near else 'is unknown')
            for name, near in named.items()
        ],
    )


def _nearest(name: str, meant: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    if name in others:
        return others[name]
    matches = get_close_matches(name[:_QUOTED], meant, n=1, cutoff=_ALIKE)
    return meant[matches[0]] if matches else None


def _simplified(name: str) -> str:
    """`cover_image`, `coverImage` and `Cover-Image` are the same name."""
    return re.sub('[^a-z0-9]', '', name.lower())


def quoted_name(name: str) -> str:
    return f"'{name}'" if len(name) <= _QUOTED else f"'{name[:_QUOTED]}…'"
