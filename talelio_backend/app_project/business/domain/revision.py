"""Earlier states of a project's texts, and how long they are kept."""
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from talelio_backend.app_project.business.domain.project import Project

# Per project: at most 25 MiB, with bodies of 256 KiB.
MAX_REVISIONS = 100
# A text that its owner withdrew should not be kept for ever.
MAX_AGE = timedelta(days=365)
# The newest revisions are kept at any age, for projects that rarely change.
ALWAYS_KEPT = 10


@dataclass(eq=False, kw_only=True)
class Revision:
    """The texts of a project before a save."""

    project_id: int
    # Counts a project's revisions from 1, without reuse.
    number: int = field(init=False)
    # The time at which this state was saved.
    created_at: datetime
    title: str
    body: str
    # None means the first paragraph.
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

    def has_same_content(self, project: Project) -> bool:
        return (project.title, project.body, project.given_summary) == (self.title, self.body, self.summary)


@dataclass(frozen=True, kw_only=True)
class RevisionEntry:
    """A revision in a list. It has no body, since a hundred of them could be 25 MiB."""

    number: int
    created_at: datetime
    title: str
    # Bytes of the body in UTF-8.
    size: int
