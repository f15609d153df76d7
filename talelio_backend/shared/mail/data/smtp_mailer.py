import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.mime_message import make_message
from talelio_backend.shared.mail.data.smtp_server import SmtpServer

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
