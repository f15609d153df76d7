from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from talelio_backend.app_project.business.domain.rendered import Rendered, RenderWarning, TocEntry

# The most projects in one page of a list.
LIST_LENGTH = 1000

# The version of the renderer's output. Increase it when the same Markdown renders differently;
# `flask projects render` then renders older texts again.
RENDERING = 4


class ProjectStatus(Enum):
    DRAFT = 'draft'
    PUBLISHED = 'published'


@dataclass(eq=False, kw_only=True)
class ProjectView:
    """A project as it is read."""

    id: int
    user_id: int
    created_at: datetime
    updated_at: datetime | None = None
    # Unique among the owner's projects. Does not follow changes of the title.
    slug: str
    status: ProjectStatus = ProjectStatus.PUBLISHED
    # May lie in the future. A project that becomes a draft again keeps it.
    published_at: datetime | None = None
    # The JSON of all that readers see, but for its end. The database writes it with each change.
    document: str = ''

    def is_public(self, now: datetime) -> bool:
        return self.status is ProjectStatus.PUBLISHED and (
            self.published_at is not None and self.published_at <= now
        )


@dataclass(eq=False, kw_only=True)
class Project(ProjectView):
    """A project as it is saved."""

    id: int = field(init=False)
    document: str = field(init=False, default='')
    title: str
    # Markdown, exactly as it was sent.
    body: str
    # Written by the owner. The excerpt is used without one.
    given_summary: str | None = None
    tags: list[str] = field(default_factory=list)
    cover_image: str | None = None
    # Set by the owner, for sorting.
    position: int = 0

    # Rendered from `body`. All but `html` are None if the previous release rendered it.
    html: str
    excerpt: str | None = None
    toc: list[TocEntry] | None = None
    words: int | None = None
    # The value of RENDERING at the time.
    rendering: int = 0
    # Not stored: only the response to a save has them.
    warnings: Sequence[RenderWarning] = field(default=(), init=False)

    @property
    def summary(self) -> str:
        return self.given_summary or self.excerpt or ''

    def set_rendered(self, rendered: Rendered) -> None:
        self.html = rendered['html']
        self.excerpt = rendered['excerpt']
        self.toc = rendered['toc']
        self.words = rendered['words']
        self.rendering = RENDERING
        self.warnings = rendered['warnings']
