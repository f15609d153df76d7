from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str
    # The link to open; printed in development without a mail server.
    link: str


class MailNotSent(Exception):
    """The server did not accept the mail.

    `permanent` means that a retry cannot succeed. The message contains neither the server's password nor
    the text of the mail.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Mailer(Protocol):

    def send(self, mail: Mail, message_id: UUID) -> None:
        """Raises MailNotSent."""
