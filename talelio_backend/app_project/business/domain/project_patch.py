"""What a request says of a project, as far as it says anything."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Final

from talelio_backend.app_project.business.domain.fields import (
    check_body,
    check_cover_image,
    check_position,
    check_published_at,
    check_summary,
    check_title,
    normalise_tags,
)
from talelio_backend.app_project.business.domain.project import ProjectStatus
from talelio_backend.app_project.business.domain.slug import check_slug


class Unset(Enum):
    """Of a field that was not named: it stays as it is, or gets its default."""

    UNSET = 'absent'


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, kw_only=True)
class ProjectPatch:
    title: str | Unset = UNSET
    body: str | Unset = UNSET
    # None: from the title.
    slug: str | Unset | None = UNSET
    # None: the first paragraph.
    summary: str | Unset | None = UNSET
    status: ProjectStatus | Unset = UNSET
    # None: from now on, if it is published.
    published_at: datetime | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    cover_image: str | Unset | None = UNSET
    position: int | Unset = UNSET

    def checked(self, is_own_image: Callable[[str], bool]) -> 'ProjectPatch':
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
            if each.name in checks and value is not None and value is not UNSET:
                checks[each.name](value)
        return self if self.tags is UNSET else replace(self, tags=normalise_tags(self.tags))
