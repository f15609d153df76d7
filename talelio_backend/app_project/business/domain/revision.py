"""What the owner of a project wrote before, and how much of it is kept."""
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from talelio_backend.app_project.business.domain.project import Project

# Of one project. With bodies of 256 KiB they are 25 MiB at most.
KEPT = 100
# Older ones go, since a text that its owner took back should not be kept for ever …
KEPT_FOR = timedelta(days=365)
# … but the newest of them stay at any age: of a project that is seldom changed, they are all there is.
ALWAYS_KEPT = 10


@dataclass(eq=False, kw_only=True)
class Revision:
    """The state before a save, of those fields that are text of the owner's."""

    project_id: int
    # From 1 on, in the order of the saves, and never given twice within a project.
    number: int = field(init=False)
    # When this state was saved.
    created_at: datetime
    title: str
    body: str
    # None: the first paragraph stood for it.
    summary: str | None

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(
            project_id=project.id,
            created_at=project.updated_at or project.created_at,
            title=project.title,
            body=project.body,
            summary=project.given_summary,
        )

    def is_still(self, project: Project) -> bool:
        return (project.title, project.body, project.given_summary) == (self.title, self.body, self.summary)


@dataclass(frozen=True, kw_only=True)
class RevisionEntry:
    """A revision in a list, which has no bodies: a hundred would be too much to read at once."""

    number: int
    created_at: datetime
    title: str
    # Bytes of the body in UTF-8.
    size: int
