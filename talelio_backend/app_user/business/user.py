import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from talelio_backend.app_user.business.errors import InvalidUsername

USERNAME_LENGTH = 64
# ASCII alone, because a name of look-alike letters could pass for another's; no slash or space, because
# the name is part of a path.
_USERNAME = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9]|[._-](?=[A-Za-z0-9]))*')
# Words that are, or may become, part of a path or that speak with the site's voice.
RESERVED_USERNAMES = frozenset(
    'about account accounts admin administrator anonymous api assets auth avatar blog changes contact '
    'default docs download email everyone feed feeds favicon.ico health help home host hostmaster images '
    'index info legal live localhost login logout mail mailer-daemon me metrics moderator new noreply '
    'no-reply nobody null official openapi operator owner password postmaster privacy profile projects '
    'ready register robots.txt root search security self session sessions settings setup sitemap.xml '
    'staff static status support system talelio terms test tokens undefined unknown user username users v1 '
    'v2 verify webmaster www'.split()
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
    avatar_url: str = 'default.jpg'

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


def could_be_username(text: str) -> bool:
    """Whether any user could have this name; what could not is not worth a question to the database."""
    return len(text) <= USERNAME_LENGTH and _USERNAME.fullmatch(text) is not None


def check_username(username: str) -> None:
    """Raises InvalidUsername, which names the rule that is broken."""
    if not 1 <= len(username) <= USERNAME_LENGTH:
        raise InvalidUsername(f"'username' must have 1 to {USERNAME_LENGTH} characters")
    if not _USERNAME.fullmatch(username):
        raise InvalidUsername(
            "'username' may hold the letters a to z and A to Z and digits, and single '.', '_' or '-' "
            'between them'
        )
    if username.lower() in RESERVED_USERNAMES:
        raise InvalidUsername(f"'username' must not be the reserved word '{username}'")
