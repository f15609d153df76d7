from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from math import ceil

from talelio_backend.app_project.business.domain.rendered import Rendered, RenderWarning, TocEntry

# Projects in one list.
LIST_LENGTH = 1000

# What adults read silently, in English: https://doi.org/10.1016/j.jml.2019.104047.
WORDS_PER_MINUTE = 238

# To be raised when the same Markdown is rendered into something else. What was rendered under a smaller
# number, or by a release that did not write one, is rendered again by `flask projects render`.
RENDERING = 3


class ProjectStatus(Enum):
    DRAFT = 'draft'
    PUBLISHED = 'published'


@dataclass(eq=False, kw_only=True)
class ProjectView:
    """A project as it is read, which is all that a reader needs of it."""

    id: int
    user_id: int
    created_at: datetime
    updated_at: datetime | None = None
    title: str
    # Names it among its owner's projects. Stays when the title changes.
    slug: str
    # Markdown, exactly as it was sent.
    body: str
    # What the owner wrote; without it, the excerpt stands for it.
    given_summary: str | None = None
    status: ProjectStatus = ProjectStatus.PUBLISHED
    # From when on a published project is public; may lie ahead. Kept when it becomes a draft again.
    published_at: datetime | None = None
    tags: list[str] = field(default_factory=list)
    cover_image: str | None = None
    # In the order that the owner gives by hand.
    position: int = 0

    # Rendered from `body`; all but `html` are None where the release before did it.
    html: str
    excerpt: str | None = None
    toc: list[TocEntry] | None = None
    words: int | None = None

    @property
    def summary(self) -> str:
        return self.given_summary or self.excerpt or ''

    @property
    def reading_time_minutes(self) -> int:
        words = len(self.body.split()) if self.words is None else self.words
        return max(1, ceil(words / WORDS_PER_MINUTE))

    def is_public(self, now: datetime) -> bool:
        return self.status is ProjectStatus.PUBLISHED and (
            self.published_at is not None and self.published_at <= now
        )


@dataclass(eq=False, kw_only=True)
class Project(ProjectView):
    """A project as it is written."""

    id: int = field(init=False)
    # The number under which it was rendered, see RENDERING.
    rendering: int = 0
    # What of the body is not shown. It is not kept: whoever saves the project is told.
    warnings: Sequence[RenderWarning] = field(default=(), init=False)

    def take_rendered(self, rendered: Rendered) -> None:
        self.html = rendered['html']
        self.excerpt = rendered['excerpt']
        self.toc = rendered['toc']
        self.words = rendered['words']
        self.rendering = RENDERING
        self.warnings = rendered['warnings']
