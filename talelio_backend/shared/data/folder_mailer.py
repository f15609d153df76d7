from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from talelio_backend.shared.business.checkup import Finding, fail, ok
from talelio_backend.shared.business.mail import Mail, MailNotSent
from talelio_backend.shared.data.mail_message import make_message


class FolderMailer:
    """Stands in where no mail server is set: keeps each mail as an .eml file and prints its link.

    See `shared.business.mail.Mailer`.
    """

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail, message_id: UUID) -> None:
        now = datetime.now(UTC)
        content = bytes(make_message(mail, message_id, self._sender, now))
        file = self._folder / f'{now:%Y%m%d-%H%M%S}-{message_id}.eml'
        # Written aside and renamed, so that whoever watches the folder never reads half a mail.
        scratch = file.with_suffix('.part')
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(content)
            scratch.rename(file)
        except OSError as error:
            raise MailNotSent(f'the mail was not kept: {error}', permanent=False) from error
        # Not the log: a token has no place there. This is the developer's own terminal.
        print(f'Mail to {mail.to}: {mail.subject}\n  {mail.link}\n  kept in {file}', flush=True)

    def check(self) -> Iterator[Finding]:
        scratch = self._folder / f'{uuid4().hex}.part'
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(b'x')
        except OSError as error:
            yield fail(
                'mail', f'{self._folder}, which keeps it, cannot be written to: {error.strerror}',
                'Set SMTP_URL, or let that folder be written to'
            )
        else:
            yield ok('mail', f'kept in {self._folder}, as no server is set')
        finally:
            with suppress(OSError):
                scratch.unlink()
