import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

from talelio_backend.shared.business.mail import Mail, MailNotSent
from talelio_backend.shared.data.mail_message import make_message
from talelio_backend.shared.data.smtp_server import SmtpServer

# Seconds for each step of the conversation; all steps together stay under the outbox's lease.
TIMEOUT = 10


class SmtpMailer:
    """See `shared.business.mail.Mailer`."""

    def __init__(
        self, server: SmtpServer, sender: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        # The default context verifies the server's certificate and name.
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: Mail, message_id: UUID) -> None:
        message = make_message(mail, message_id, self._sender, datetime.now(UTC))
        with _mail_not_sent(), closing(self._connect()) as smtp:
            if self._server.starttls:
                smtp.starttls(context=self._tls)
            if self._server.username is not None:
                smtp.login(self._server.username, self._server.password or '')
            smtp.send_message(message)
            # The mail is the server's now; a clumsy good-bye must not have it sent again.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()

    def _connect(self) -> smtplib.SMTP:
        address = (self._server.host, self._server.port)
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(*address, timeout=TIMEOUT, context=self._tls)
        return smtplib.SMTP(*address, timeout=TIMEOUT)


@contextmanager
def _mail_not_sent() -> Iterator[None]:
    """Name what went wrong without quoting the server: its answer may repeat an address or a key."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted(code for code, _ in error.recipients.values())
        raise MailNotSent(
            f'the mail server refused the recipient ({codes})', permanent=codes[0] >= 500
        ) from None
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise MailNotSent(
            f'the mail server refused the mail ({error.smtp_code})', permanent=error.smtp_code >= 500
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        # An operator's slip, mended by the next restart: worth trying on.
        raise MailNotSent(
            f'the mail server refused the login ({error.smtp_code})', permanent=False
        ) from None
    except smtplib.SMTPException as error:
        raise MailNotSent(
            f'the mail server did not behave ({type(error).__name__})', permanent=False
        ) from None
    except OSError as error:
        raise MailNotSent(
            f'the mail server was not reached ({type(error).__name__})', permanent=False
        ) from None
