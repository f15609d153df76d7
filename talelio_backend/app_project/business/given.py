"""What a request says of a project, as far as it says anything."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Final

from talelio_backend.app_project.business.fields import (
    check_body,
    check_cover_image,
    check_position,
    check_published_at,
    check_summary,
    check_title,
    normalise_tags,
)
from talelio_backend.app_project.business.project import ProjectStatus
from talelio_backend.app_project.business.slug import check_slug


class Absent(Enum):
    """Of a field that was not named: it stays as it is, or gets its default."""

    ABSENT = 'absent'


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, kw_only=True)
class Given:
    title: str | Absent = ABSENT
    body: str | Absent = ABSENT
    # None: from the title.
    slug: str | Absent | None = ABSENT
    # None: the first paragraph.
    summary: str | Absent | None = ABSENT
    status: ProjectStatus | Absent = ABSENT
    # None: from now on, if it is published.
    published_at: datetime | Absent | None = ABSENT
    tags: Sequence[str] | Absent = ABSENT
    cover_image: str | Absent | None = ABSENT
    position: int | Absent = ABSENT

    def checked(self, is_own_image: Callable[[str], bool]) -> 'Given':
        """Return it in normal form. Raises Invalid."""
        checks: dict[str, Callable[..., None]] = {
            'title': check_title,
            'body': check_body,
            'slug': check_slug,
            'summary': check_summary,
            'published_at': check_published_at,
            'cover_image': lambda url: check_cover_image(url, is_own_image),
            'position': check_position,
        }
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in checks and value is not None and value is not ABSENT:
                checks[each.name](value)
        return self if self.tags is ABSENT else replace(self, tags=normalise_tags(self.tags))
