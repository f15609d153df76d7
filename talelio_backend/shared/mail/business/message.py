from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str
    # What the person is asked to open; shown to a developer where no mail server is set.
    link: str


class MailNotSent(Exception):
    """The server did not take the mail.

    `permanent` means that the same mail will not be taken later either. The message holds neither the
    password of the server nor the text of the mail.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Mailer(Protocol):

    def send(self, mail: Mail, message_id: UUID) -> None:
        """Raises MailNotSent."""
