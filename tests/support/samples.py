"""Entities with sensible values, of which a test names only what it is about."""
from datetime import UTC, datetime, timedelta
from itertools import count

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_asset.business.image import Image, ImageKind
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.audit.business.audit_trail import EventKind, Retention, SecurityEvent
from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.mail.business.outbox import OutboxMail

ORIGIN = Actor(address='192.0.2.7', user_agent='curl/8', request_id='request-1')

NOW = datetime(2026, 3, 1, 12, 30, 59, 123456, tzinfo=UTC)

AUDIT_RETENTION = Retention(addresses=timedelta(days=30), events=timedelta(days=365))

_numbers = count(1)


def new_account(
    username: str = 'maker',
    *,
    email: str | None = None,
    password_hash: str = 'hash',
    now: datetime = NOW
) -> Account:
    return Account.register(
        email or f'{username}@example.com', password_hash, User.create(username, now), now
    )


def new_project(
    user_id: int,
    *,
    title: str = 'Title',
    body: str = 'body',
    slug: str | None = None,
    status: ProjectStatus = ProjectStatus.PUBLISHED,
    now: datetime = NOW
) -> Project:
    return Project(
        user_id=user_id,
        created_at=now,
        title=title,
        slug=slug or f'slug-{next(_numbers)}',
        body=body,
        html=f'<p>{body}</p>',
        status=status,
        published_at=now,
    )


def new_image(user_id: int, name: str = 'a' * 64, *, now: datetime = NOW) -> Image:
    return Image(
        user_id=user_id,
        created_at=now,
        name=name,
        kind=ImageKind.JPEG,
        width=800,
        height=600,
        size=12345,
        variant_widths=[320, 640],
        placeholder='data:image/webp;base64,',
    )


def new_mail(number: int = 1, *, due_at: datetime = NOW) -> OutboxMail:
    return OutboxMail.queue('note', {'number': number}, due_at)


def new_event(
    kind: EventKind = EventKind.LOGIN_FAILED,
    *,
    account_id: int | None = None,
    now: datetime = NOW,
) -> SecurityEvent:
    return SecurityEvent(
        occurred_at=now,
        kind=kind,
        account_id=account_id,
        actor='anonymous',
        address='192.0.2.7',
        network='192.0.2.0/24',
        user_agent='curl/8',
        request_id='request-1',
        details={'tries': 3},
    )
