import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.smtp_server import SmtpServer

# Without special characters of headers (RFC 5322, section 3.2.3), such as a comma.
_ONE_ADDRESS = re.compile(r'[^\s"(),:;<>@\[\\\]]+@[\w.-]+')

# Characters (RFC 5322, section 2.1.1).
_LONGEST_LINE = 998


def make_message(mail: Mail, message_id: UUID, sender: str, now: datetime) -> EmailMessage:
    """Return an RFC 5322 message with a text and an HTML part. Raises MailNotSent."""
    message = EmailMessage()
    message['From'] = from_ = _sender(sender)
    message['To'] = _recipient(mail.to)
    message['Subject'] = mail.subject
    message['Date'] = format_datetime(now)
    message['Message-ID'] = f'<{message_id}@{from_.domain}>'
    # Suppresses automatic replies (RFC 3834, section 5).
    message['Auto-Submitted'] = 'auto-generated'
    message.set_content(mail.text, cte=_encoding(mail.text))
    message.add_alternative(mail.html, subtype='html', cte=_encoding(mail.html))
    return message


def _encoding(text: str) -> str | None:
    """Prefer 7bit: the library's choice would wrap long lines, and with them links."""
    longest = max((len(line) for line in text.splitlines()), default=0)
    return '7bit' if text.isascii() and longest <= _LONGEST_LINE else None


def _sender(sender: str) -> Address:
    name, address = parseaddr(sender)
    local_part, _, domain = address.rpartition('@')
    # Any server accepts the ASCII form of an international domain (RFC 3490).
    return Address(name, local_part, domain.encode('idna').decode())


def _recipient(address: str) -> str:
    """Return the address if it is a single one and cannot inject a header. Raises MailNotSent."""
    # An encoded word (RFC 2047) could decode to another address or a line break.
    if not _ONE_ADDRESS.fullmatch(address) or not address.isprintable() or '=?' in address:
        raise MailNotSent('the address is not one that mail can go to', permanent=True)
    return address


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


# Seconds per SMTP command. The dozen commands take less than the outbox's lease, unless a server responds
# byte by byte; the mail may then be sent twice, with the same Message-ID.
TIMEOUT = 8


class SmtpMailer:
    """See `shared.mail.business.message.Mailer`."""

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        tls: ssl.SSLContext | None = None,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self._server = server
        self._timeout = timeout
        self._sender = sender
        # The default context verifies the server's certificate and name.
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: Mail, message_id: UUID) -> None:
        with _mail_not_sent():
            message = make_message(mail, message_id, self._sender, datetime.now(UTC))
            with self._session() as smtp:
                smtp.send_message(message)

    def check(self) -> None:
        """Connect and log in. Raises MailNotSent."""
        with _mail_not_sent(), self._session() as smtp:
            # Without a login, this verifies that it is a mail server.
            smtp.ehlo_or_helo_if_needed()

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        with closing(self._connect()) as smtp:
            if self._server.starttls:
                smtp.starttls(context=self._tls)
            if self._server.username is not None:
                smtp.login(self._server.username, self._server.password or '')
            yield smtp
            # The server has accepted the mail; a failing QUIT must not cause a retry.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()

    def _connect(self) -> smtplib.SMTP:
        address = (self._server.host, self._server.port)
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(*address, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(*address, timeout=self._timeout)


@contextmanager
def _mail_not_sent() -> Iterator[None]:
    """Translate errors without quoting the server, whose responses may contain addresses or passwords."""
    # A retry may succeed after a misconfiguration (the sender, the login, STARTTLS) is corrected.
    permanent = False
    try:
        yield
        return
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted(code for code, _ in error.recipients.values())
        reason, permanent = f'the mail server refused the recipient ({codes})', _is_final(codes[0])
    except smtplib.SMTPDataError as error:
        reason = f'the mail server refused the mail ({error.smtp_code})'
        permanent = _is_final(error.smtp_code)
    except smtplib.SMTPSenderRefused as error:
        reason = f'the mail server refused the sender ({error.smtp_code})'
    except smtplib.SMTPAuthenticationError as error:
        reason = f'the mail server refused the login ({error.smtp_code})'
    except smtplib.SMTPException as error:
        reason = f'the mail server violated the protocol ({type(error).__name__})'
    except OSError as error:
        reason = f'cannot reach the mail server ({type(error).__name__})'
    except UnicodeError:
        # The error's text may quote the password.
        reason = "the mail server's name, its login or the sender is not plain ASCII"
    raise MailNotSent(reason, permanent=permanent) from None


def _is_final(code: int) -> bool:
    # RFC 5321, section 4.2.1. Unknown codes are not final.
    return 500 <= code <= 599
