import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from talelio_backend.app_user.business.errors import InvalidUsername
from talelio_backend.shared.business.errors import InvalidValue

USERNAME_LENGTH = 64
LOCATION_LENGTH = 100
# The frontend shows this to users without an avatar.
DEFAULT_AVATAR_URL = 'default.jpg'
# ASCII only, since look-alike letters could impersonate another user. No slashes or spaces, since the name
# is part of a path.
_USERNAME = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?=[A-Za-z0-9]))*')
# Words that are part of a path, and names that would appear to speak for the site.
RESERVED_USERNAMES = frozenset(
    'admin administrator anonymous api everyone hostmaster login logout mailer-daemon me moderator no-reply '
    'nobody noreply null official operator postmaster register root settings staff support system undefined '
    'webmaster'.split()
)


@dataclass(eq=False, kw_only=True)
class User:
    """The public face of an account."""

    id: int = field(init=False)
    account_id: int = field(init=False)
    created_at: datetime
    updated_at: datetime | None = None
    username: str
    location: str = ''
    # The file name of the avatar (`app_asset.business.image`); None for the default. The URL is derived on
    # demand, so that the files can move.
    avatar_name: str | None = None

    @classmethod
    def create(cls, username: str, now: datetime) -> Self:
        """Raises InvalidUsername."""
        check_username(username)
        return cls(username=username, created_at=now)

    def rename(self, username: str, now: datetime) -> None:
        """Raises InvalidUsername."""
        if username != self.username:
            check_username(username)
            self.username = username
            self.updated_at = now

    def change_location(self, location: str, now: datetime) -> None:
        """Raises Invalid."""
        if location != self.location:
            check_location(location)
            self.location = location
            self.updated_at = now

    def set_avatar(self, name: str | None, now: datetime) -> None:
        if name != self.avatar_name:
            self.avatar_name = name
            self.updated_at = now


def is_well_formed_username(text: str) -> bool:
    """Whether a user could have this name, which saves queries for other texts."""
    return len(text) <= USERNAME_LENGTH and _USERNAME.fullmatch(text) is not None


def check_username(username: str) -> None:
    """Raises InvalidUsername."""
    if not 1 <= len(username) <= USERNAME_LENGTH:
        raise InvalidUsername(f'must have 1 to {USERNAME_LENGTH} characters')
    if not _USERNAME.fullmatch(username):
        raise InvalidUsername(
            "may hold the letters a to z and A to Z and digits, and single '.', '_' or '-' "
            'between them'
        )
    if username.lower() in RESERVED_USERNAMES:
        raise InvalidUsername(f"must not be the reserved word '{username}'")


def check_location(location: str) -> None:
    """Raises Invalid."""
    if len(location) > LOCATION_LENGTH:
        raise InvalidValue('location', f'must have at most {LOCATION_LENGTH} characters')
    if not location.isprintable():
        raise InvalidValue('location', 'must be one line of text, without control characters')
