import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.mime_message import make_message
from talelio_backend.shared.mail.data.smtp_server import SmtpServer

# Seconds for each step of the conversation. Its dozen steps stay under the outbox's lease, unless a server
# sends its answers byte by byte; then the mail may go out twice, under one Message-ID.
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
            self._hand_over(make_message(mail, message_id, self._sender, datetime.now(UTC)))

    def _hand_over(self, message: EmailMessage) -> None:
        with closing(self._connect()) as smtp:
            self._introduce(smtp)
            smtp.send_message(message)
            # The mail is the server's now; a clumsy good-bye must not have it sent again.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()

    def check(self) -> None:
        """Go as far as a mail does before it is handed over. Raises MailNotSent."""
        with _mail_not_sent(), closing(self._connect()) as smtp:
            self._introduce(smtp)
            # Also tells a mail server from another one, where there is no login.
            smtp.ehlo_or_helo_if_needed()
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        if self._server.starttls:
            smtp.starttls(context=self._tls)
        if self._server.username is not None:
            smtp.login(self._server.username, self._server.password or '')

    def _connect(self) -> smtplib.SMTP:
        address = (self._server.host, self._server.port)
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(*address, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(*address, timeout=self._timeout)


@contextmanager
def _mail_not_sent() -> Iterator[None]:
    """Name what went wrong without quoting the server: its answer may repeat an address or a key."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted(code for code, _ in error.recipients.values())
        raise MailNotSent(
            f'the mail server refused the recipient ({codes})', permanent=_is_final(codes[0])
        ) from None
    except smtplib.SMTPDataError as error:
        raise MailNotSent(
            f'the mail server refused the mail ({error.smtp_code})', permanent=_is_final(error.smtp_code)
        ) from None
    except smtplib.SMTPSenderRefused as error:
        # The sender, or a login or STARTTLS that is wanted first, is for the operator to set right.
        raise MailNotSent(
            f'the mail server refused the sender ({error.smtp_code})', permanent=False
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        # An operator's slip, mended by the next restart: worth trying on.
        raise MailNotSent(f'the mail server refused the login ({error.smtp_code})', permanent=False) from None
    except smtplib.SMTPException as error:
        raise MailNotSent(
            f'the mail server did not behave ({type(error).__name__})', permanent=False
        ) from None
    except OSError as error:
        raise MailNotSent(
            f'the mail server was not reached ({type(error).__name__})', permanent=False
        ) from None
    except UnicodeError:
        # Its text would quote a piece of the password.
        raise MailNotSent(
            "the mail server's name, its login or the sender is not plain ASCII", permanent=False
        ) from None


def _is_final(code: int) -> bool:
    # RFC 5321, section 4.2.1. Anything outside the known classes is a slip of the server's.
    return 500 <= code <= 599
