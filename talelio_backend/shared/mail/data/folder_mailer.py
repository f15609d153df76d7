from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.mime_message import make_message


class FolderMailer:
    """A `Mailer` for development: saves each mail as an .eml file and prints its link."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail, message_id: UUID) -> None:
        now = datetime.now(UTC)
        content = bytes(make_message(mail, message_id, self._sender, now))
        file = self._folder / f'{now:%Y%m%d-%H%M%S}-{message_id}.eml'
        # Renamed when complete, so that watchers of the folder never read a partial mail.
        scratch = file.with_suffix('.part')
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(content)
            scratch.rename(file)
        except OSError as error:
            raise MailNotSent(f'the mail was not kept: {error}', permanent=False) from error
        # Not logged: logs must not contain tokens.
        print(f'Mail to {mail.to}: {mail.subject}\n  {mail.link}\n  kept in {file}', flush=True)
