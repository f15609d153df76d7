"""What the machine of accounts tries: the use cases, or the served API."""
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol


class Tokens(NamedTuple):
    access: str
    refresh: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    email: str
    username: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The ids of all that is stored."""

    accounts: set[int]
    sessions: set[int]
    changes: set[int]


class AccountSystem(Protocol):
    """What is refused raises a BusinessError with the message that is heard. Tokens are the texts of them."""

    # On the whitelist; nobody else has them.
    emails: tuple[str, ...]
    # How far its clock may be from `now`.
    doubt: timedelta

    def now(self) -> datetime:
        ...

    def wait(self, time: timedelta) -> None:
        """Let it pass, for all that ends after some seconds."""

    def register(self, email: str, password: str, username: str) -> int:
        """Return the account's id."""

    def verify(self, token: str) -> None:
        ...

    def log_in(self, email: str, password: str) -> Tokens:
        ...

    def refresh(self, refresh: str) -> Tokens:
        ...

    def log_out(self, refresh: str) -> None:
        ...

    def log_out_everywhere(self, access: str) -> None:
        ...

    def list_sessions(self, access: str) -> set[int]:
        ...

    def end_session(self, access: str, session_id: int) -> None:
        ...

    def show(self, access: str) -> Shown:
        ...

    def change_password(self, access: str, current: str, new: str) -> str:
        """Return another access token."""

    def reset_password(self, link: str, password: str) -> None:
        ...

    def request_email_change(self, access: str, email: str, password: str) -> None:
        ...

    def confirm_email_change(self, link: str) -> None:
        ...

    def revoke_email_change(self, link: str) -> None:
        ...

    def delete(self, access: str, password: str) -> None:
        ...

    def kept(self) -> Kept:
        """Of those who have registered here."""
