import email.policy
import re
import ssl
import threading
from asyncio import Server
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.waiting import PATIENCE


class _Controller(Controller):

    def _trigger_server(self) -> None:
        # It connects to itself once, and would do so at port 0.
        self.port = _port_of(self)
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _port_of(controller: Controller) -> int:
    assert isinstance(controller.server, Server)
    return int(controller.server.sockets[0].getsockname()[1])


class SmtpSink:
    """A mail server on a free port, of the loopback address by default.

    `refuse_with` makes it turn every mail down.
    """

    def __init__(
        self,
        *,
        hostname: str = '127.0.0.1',
        starttls: ssl.SSLContext | None = None,
        implicit_tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.refuse_with: str | None = None
        # Called with a mail that has come, before the server is told that it has.
        self.before_answer: Callable[[], None] | None = None
        self._mails: list[EmailMessage] = []
        self._arrived = threading.Condition()
        self._login = login
        self._controller = _Controller(
            self,
            hostname=hostname,
            port=0,
            ssl_context=implicit_tls,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self._authenticate,
            auth_required=login is not None,
            # Its words for LOGIN are others than most servers', and Alertmanager does not know them.
            auth_exclude_mechanism=['LOGIN'],
            auth_require_tls=login is not None and implicit_tls is None,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return _port_of(self._controller)

    @property
    def url(self) -> str:
        return f'smtp://127.0.0.1:{self.port}'

    @property
    def mails(self) -> list[EmailMessage]:
        with self._arrived:
            return list(self._mails)

    def wait_for(self, number: int = 1, *, to: str | None = None) -> list[EmailMessage]:
        """Return the mails (to one address) as soon as there are `number` of them."""

        def matching() -> list[EmailMessage]:
            return [mail for mail in self._mails if to is None or mail['To'] == to]

        with self._arrived:
            assert self._arrived.wait_for(lambda: len(matching()) >= number, PATIENCE), \
                f'{len(matching())} of {number} mails came within {PATIENCE} s'
            return matching()

    def wait_for_subject(self, subject: str, *, to: str) -> EmailMessage:
        """Return the first mail to the address whose subject begins so."""

        def matching() -> list[EmailMessage]:
            return [mail for mail in self._mails if mail['To'] == to and mail['Subject'].startswith(subject)]

        with self._arrived:
            assert self._arrived.wait_for(matching, PATIENCE), f'no such mail came within {PATIENCE} s'
            return matching()[0]

    # The names are aiosmtpd's.
    async def handle_DATA(  # pylint: disable=invalid-name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.refuse_with is not None:
            return self.refuse_with
        content = cast(bytes, envelope.content)
        mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content)
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()
        if self.before_answer is not None:
            self.before_answer()
        return '250 OK'

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        # Unless told otherwise, it takes the answer to have been sent.
        return AuthResult(success=given == self._login, handled=False)


def link_in(mail: EmailMessage) -> str:
    """The first link of the mail's plain-text part."""
    part = mail.get_body(('plain', ))
    assert part is not None
    found = re.search(r'^(https?://\S+)\r?$', part.get_content(), re.MULTILINE)
    assert found is not None
    return found.group(1)
