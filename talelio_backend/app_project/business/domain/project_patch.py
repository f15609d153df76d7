"""The fields of a project that a request sets."""
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
    """The type of UNSET, which marks a field that the request does not name."""

    UNSET = 'unset'


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, kw_only=True)
class ProjectPatch:
    title: str | Unset = UNSET
    body: str | Unset = UNSET
    # None derives it from the title.
    slug: str | Unset | None = UNSET
    # None means the first paragraph.
    summary: str | Unset | None = UNSET
    status: ProjectStatus | Unset = UNSET
    # None means now, if the project is published.
    published_at: datetime | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    cover_image: str | Unset | None = UNSET
    position: int | Unset = UNSET

    def checked(self, is_own_image: Callable[[str], bool]) -> 'ProjectPatch':
        """Return the patch in normal form. Raises InvalidValue."""
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
