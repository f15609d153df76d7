from dataclasses import dataclass, field
from datetime import datetime

from talelio_backend.shared.business.errors import InvalidValue

TITLE_LENGTH = 200
# Bytes of UTF-8: some forty thousand words.
BODY_SIZE = 256 * 1024

# Projects in one list.
LIST_LENGTH = 1000


@dataclass(eq=False, kw_only=True)
class Project:
    id: int = field(init=False)
    user_id: int
    created_at: datetime
    updated_at: datetime | None = None
    title: str
    # Markdown, exactly as it was sent.
    body: str
    # Rendered from `body`, and safe to put into a page.
    html: str


def check_title(title: str) -> None:
    """Raises Invalid."""
    if not title.strip():
        raise InvalidValue('title', 'must not be blank')
    if len(title) > TITLE_LENGTH:
        raise InvalidValue('title', f'must have at most {TITLE_LENGTH} characters')


def check_body(body: str) -> None:
    """Raises Invalid."""
    if len(body.encode()) > BODY_SIZE:
        raise InvalidValue('body', f'must have at most {BODY_SIZE // 1024} KiB of text')
