import smtplib
import ssl
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

from talelio_backend.app_account.business.domain.email_address import canonical_email
from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.mailers import SmtpMailer
from talelio_backend.shared.mail.data.smtp_server import SmtpServer
from tests.support.scripted_smtp import CLOSE, END_OF_MAIL, GREETING, SILENCE, ScriptedSmtp
from tests.support.smtp_sink import SmtpSink
from tests.support.sockets import closed_port, silent_port
from tests.support.waiting import PATIENCE

# aiosmtpd does not count implicit TLS as TLS. It says so in a thread of its own.
pytestmark = pytest.mark.filterwarnings('ignore:Requiring AUTH while not requiring TLS')

SENDER = 'Maker <noreply@api.test>'
MESSAGE_ID = UUID('0d3b9f6e-2f0a-4d0c-9c3e-0b7a5f4f9f10')
PASSWORD = 'p@ss:w/ord% +&#'
# Seconds: for servers that at some moment stay silent.
IMPATIENT = 0.3


def new_mail(to: str = 'reader@example.com', **changes: str) -> Mail:
    words = {
        'subject': 'Hello',
        'text': 'text',
        'html': '<p>html</p>',
        'link': 'https://api.test/x',
        **changes
    }
    return Mail(to=to, **words)


def send(
    server: SmtpServer,
    mail: Mail | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    sender: str = SENDER
) -> None:
    SmtpMailer(server, sender, tls, timeout=PATIENCE).send(mail or new_mail(), MESSAGE_ID)


def not_sent(
    server: SmtpServer,
    mail: Mail | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = PATIENCE
) -> MailNotSent:
    with pytest.raises(MailNotSent) as raised:
        SmtpMailer(server, SENDER, tls, timeout=timeout).send(mail or new_mail(), MESSAGE_ID)
    return raised.value


def at(port: int) -> SmtpServer:
    return SmtpServer(host='127.0.0.1', port=port)


# What arrives


def lines_of(part: Message) -> list[str]:
    """On the way every line break is CR and LF."""
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).splitlines()


def test_a_mail_arrives_with_both_parts(smtp_sink: SmtpSink) -> None:
    text = 'Grüezi 👋\n\n.\n..two dots\n' + 'https://api.test/' + 'x' * 2000 + '\n'
    html = '<p title="ä">' + 'y' * 2000 + '</p>\n'

    send(at(smtp_sink.port), new_mail(text=text, html=html))

    [mail] = smtp_sink.mails
    assert mail.get_content_type() == 'multipart/alternative'
    plain, rich = mail.iter_parts()
    assert (plain.get_content_type(), lines_of(plain)) == ('text/plain', text.splitlines())
    assert (rich.get_content_type(), lines_of(rich)) == ('text/html', html.splitlines())


def test_a_mail_has_its_headers(smtp_sink: SmtpSink) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    send(at(smtp_sink.port), new_mail(subject='Bestätige „Talelio“ ' + 'lang ' * 30))

    [mail] = smtp_sink.mails
    assert mail['From'] == SENDER
    assert mail['To'] == 'reader@example.com'
    assert mail['Subject'].strip() == ('Bestätige „Talelio“ ' + 'lang ' * 30).strip()
    assert mail['Auto-Submitted'] == 'auto-generated'
    assert mail['Message-ID'] == f'<{MESSAGE_ID}@api.test>'
    assert before <= parsedate_to_datetime(mail['Date']) <= datetime.now(UTC)
    assert not mail.defects


def test_the_message_id_is_that_of_the_mail_at_every_try(smtp_sink: SmtpSink) -> None:
    mailer = SmtpMailer(at(smtp_sink.port), SENDER)
    other = uuid4()

    for id_ in (MESSAGE_ID, MESSAGE_ID, other):
        mailer.send(new_mail(), id_)

    assert [mail['Message-ID'] for mail in smtp_sink.mails] == \
        [f'<{id_}@api.test>' for id_ in (MESSAGE_ID, MESSAGE_ID, other)]


def test_the_envelope_goes_to_one_and_comes_from_the_sender() -> None:
    with ScriptedSmtp() as server:
        send(at(server.port))

    assert [line.partition(' size=')[0] for line in server.received if ':<' in line] == \
        ['mail FROM:<noreply@api.test>', 'rcpt TO:<reader@example.com>']


# Addresses


def test_an_international_address_goes_out_in_its_ascii_form(smtp_sink: SmtpSink) -> None:
    to = canonical_email('Reader@Bücher.example')
    assert to is not None

    send(at(smtp_sink.port), new_mail(to))

    assert smtp_sink.mails[0]['To'] == 'reader@xn--bcher-kva.example'


@pytest.mark.parametrize(
    'sender', ['Bücher <noreply@bücher.example>', '"Bücher, Ltd." <noreply@xn--bcher-kva.example>']
)
def test_an_international_sender_goes_out_in_its_ascii_form(smtp_sink: SmtpSink, sender: str) -> None:
    send(at(smtp_sink.port), sender=sender)

    [mail] = smtp_sink.mails
    [address] = mail['From'].addresses
    assert address.addr_spec == 'noreply@xn--bcher-kva.example'
    assert address.display_name.startswith('Bücher')
    assert mail['Message-ID'] == f'<{MESSAGE_ID}@xn--bcher-kva.example>'


def test_an_international_mailbox_is_written_to_where_the_server_can(smtp_sink: SmtpSink) -> None:
    send(at(smtp_sink.port), new_mail('dömi@example.com'))

    assert smtp_sink.mails[0]['To'] == 'dömi@example.com'


def test_an_international_mailbox_is_not_written_to_where_the_server_cannot() -> None:
    with ScriptedSmtp() as server:
        error = not_sent(at(server.port), new_mail('dömi@example.com'))

    assert 'DATA' not in server.received and 'data' not in server.received
    assert 'SMTPNotSupportedError' in str(error)


@pytest.mark.parametrize(
    'address',
    [
        'reader@example.com\r\nBcc: victim@example.com',
        'reader@example.com\nBcc: victim@example.com',
        'reader@example.com\rBcc: victim@example.com',
        '\r\nBcc: victim@example.com',
        'reader@example.com\r',
        'reader@example.com\n',
        'reader@example.com\r\n\r\nanother text',
        'reader\x00@example.com',
        'reader@example.com\x0bBcc: victim@example.com',
        'reader@example.com\u2028Bcc: victim@example.com',
        # An encoded word, which the header's parser decodes.
        '=?utf-8?q?reader=0D=0ABcc=3Avictim=40example.com?=@example.com',
        '=?utf-8?q?victim?=@example.com',
        # Two addresses, or another one.
        'reader@example.com, victim@example.com',
        'reader@example.com; victim@example.com',
        'reader@example.com <victim@example.com>',
        'group: victim@example.com, reader@example.com;',
        'reader victim@example.com',
        '(reader) victim@example.com',
        'victim@example.com(reader)',
        '"reader, victim"@example.com',
        'victim@reader@example.com',
        # None.
        '',
        'reader',
        '@example.com',
        'reader@',
    ]
)
def test_no_address_can_add_a_header_or_an_address(smtp_sink: SmtpSink, address: str) -> None:
    error = not_sent(at(smtp_sink.port), new_mail(address))

    assert error.permanent
    assert not smtp_sink.mails


def test_a_line_break_in_the_subject_is_no_header(smtp_sink: SmtpSink) -> None:
    with pytest.raises(ValueError):
        send(at(smtp_sink.port), new_mail(subject='Hello\r\nBcc: victim@example.com'))

    assert not smtp_sink.mails


# Encryption and login


@pytest.fixture(name='authority', scope='module')
def fixture_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name='trusting', scope='module')
def fixture_trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def certificate(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


Sink = Callable[[ssl.SSLContext], SmtpSink]


def starttls_sink(context: ssl.SSLContext) -> SmtpSink:
    return SmtpSink(starttls=context, login=('maker', PASSWORD))


def implicit_sink(context: ssl.SSLContext) -> SmtpSink:
    return SmtpSink(implicit_tls=context, login=('maker', PASSWORD))


both_ways = pytest.mark.parametrize(('make_sink', 'url'), [
    (starttls_sink, 'smtp://{login}@{host}:{port}?starttls=1'),
    (implicit_sink, 'smtps://{login}@{host}:{port}'),
],
                                    ids=['starttls', 'implicit'])


def server_at(url: str, port: int, *, host: str = '127.0.0.1', password: str = PASSWORD) -> SmtpServer:
    return SmtpServer.from_url(url.format(login=f'maker:{quote(password, safe="")}', host=host, port=port))


@both_ways
@pytest.mark.parametrize('host', ['127.0.0.1', 'localhost'])
def test_a_mail_goes_encrypted_and_with_a_login(
    authority: trustme.CA, trusting: ssl.SSLContext, make_sink: Sink, url: str, host: str
) -> None:
    with make_sink(certificate(authority, '127.0.0.1', 'localhost')) as sink:
        send(server_at(url, sink.port, host=host), tls=trusting)

        assert len(sink.mails) == 1


@both_ways
def test_a_wrong_password_is_refused_and_worth_another_try(
    authority: trustme.CA, trusting: ssl.SSLContext, make_sink: Sink, url: str
) -> None:
    with make_sink(certificate(authority, '127.0.0.1')) as sink:
        error = not_sent(server_at(url, sink.port, password='Wrong-7f3a'), tls=trusting)

        assert not sink.mails
    assert str(error) == 'the mail server refused the login (535)'
    assert not error.permanent
    assert 'Wrong-7f3a' not in ''.join(traceback.format_exception(error))


@both_ways
def test_a_check_logs_in_and_sends_nothing(
    authority: trustme.CA, trusting: ssl.SSLContext, make_sink: Sink, url: str
) -> None:
    with make_sink(certificate(authority, '127.0.0.1')) as sink:
        SmtpMailer(server_at(url, sink.port), SENDER, trusting, timeout=PATIENCE).check()
        with pytest.raises(MailNotSent, match=r'refused the login \(535\)'):
            SmtpMailer(server_at(url, sink.port, password='Wrong-7f3a'), SENDER, trusting,
                       timeout=PATIENCE).check()

        assert not sink.mails


@both_ways
def test_an_unknown_authority_is_refused(authority: trustme.CA, make_sink: Sink, url: str) -> None:
    with make_sink(certificate(authority, '127.0.0.1')) as sink:
        # The default context, as in production.
        error = not_sent(server_at(url, sink.port))

        assert not sink.mails
    assert 'SSLCertVerificationError' in str(error)
    assert not error.permanent


@both_ways
def test_another_hosts_certificate_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext, make_sink: Sink, url: str
) -> None:
    with make_sink(certificate(authority, 'mail.example.com')) as sink:
        error = not_sent(server_at(url, sink.port), tls=trusting)

        assert not sink.mails
    assert 'SSLCertVerificationError' in str(error)


def test_no_password_is_sent_where_the_server_lost_its_starttls(trusting: ssl.SSLContext) -> None:
    """As when somebody on the way takes the offer out."""
    with ScriptedSmtp({'EHLO': '250-scripted\r\n250 AUTH PLAIN LOGIN'}) as server:
        error = not_sent(
            SmtpServer(
                host='127.0.0.1', port=server.port, username='maker', password=PASSWORD, starttls=True
            ),
            tls=trusting
        )

    assert not [line for line in server.received if line.upper().startswith(('AUTH', 'MAIL'))]
    assert not error.permanent


def test_a_server_that_wants_encryption_first_is_worth_another_try(authority: trustme.CA) -> None:
    with SmtpSink(starttls=certificate(authority, '127.0.0.1')) as sink:
        error = not_sent(at(sink.port))

        assert not sink.mails
    assert not error.permanent


def test_a_server_that_wants_a_login_is_worth_another_try(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    with starttls_sink(certificate(authority, '127.0.0.1')) as sink:
        error = not_sent(SmtpServer(host='127.0.0.1', port=sink.port, starttls=True), tls=trusting)

        assert not sink.mails
    assert str(error) == 'the mail server refused the sender (530)'
    assert not error.permanent


def test_encryption_with_a_plain_server_is_refused(smtp_sink: SmtpSink, trusting: ssl.SSLContext) -> None:
    error = not_sent(SmtpServer(host='127.0.0.1', port=smtp_sink.port, implicit_tls=True), tls=trusting)

    assert not error.permanent


@pytest.mark.parametrize(('username', 'password'), [('mäker', 'password'), ('maker', 'pässword')])
def test_a_login_that_cannot_be_sent_is_named_without_its_letters(username: str, password: str) -> None:
    with ScriptedSmtp({'EHLO': '250-scripted\r\n250 AUTH PLAIN', 'AUTH': '235 welcome'}) as server:
        error = not_sent(SmtpServer(host='127.0.0.1', port=server.port, username=username, password=password))

    assert not error.permanent
    assert 'ä' not in str(error) and '\\xe4' not in ''.join(traceback.format_exception(error))


# Servers that say no


class PickySink(SmtpSink):
    """Takes mail for nobody."""

    def __init__(self, response: str) -> None:
        super().__init__()
        self._answer = response

    async def handle_RCPT(  # pylint: disable=invalid-name
        self, _server: SMTP, _session: Session, _envelope: Envelope, _address: str, _options: list[str]
    ) -> str:
        return self._answer


ANSWERS = [
    ('550 no such user reader@example.com', True),
    ('551 not here', True),
    ('451 reader@example.com: try later', False),
    ('452 mailbox full', False),
    ('421 closing', False),
]


@pytest.mark.parametrize(('response', 'permanent'), ANSWERS)
def test_a_refused_recipient_is_final_if_the_server_says_so(response: str, permanent: bool) -> None:
    with PickySink(response) as sink:
        error = not_sent(at(sink.port))

        assert not sink.mails
    assert error.permanent is permanent
    assert str(error) == f'the mail server refused the recipient ([{response[:3]}])'


@pytest.mark.parametrize(('response', 'permanent'), ANSWERS)
def test_a_refused_mail_is_final_if_the_server_says_so(
    smtp_sink: SmtpSink, response: str, permanent: bool
) -> None:
    smtp_sink.refuse_with = response

    error = not_sent(at(smtp_sink.port))

    assert error.permanent is permanent
    assert str(error) == f'the mail server refused the mail ({response[:3]})'


@pytest.mark.parametrize('response', ['550 sender unknown', '530 log in first', '451 later'])
def test_a_refused_sender_is_for_the_operator_to_set_right(response: str) -> None:
    with ScriptedSmtp({'MAIL': response}) as server:
        error = not_sent(at(server.port))

    assert str(error) == f'the mail server refused the sender ({response[:3]})'
    assert not error.permanent


def test_after_a_refusal_the_next_mail_goes_out(smtp_sink: SmtpSink) -> None:
    mailer = SmtpMailer(at(smtp_sink.port), SENDER)
    smtp_sink.refuse_with = '550 no'
    with pytest.raises(MailNotSent):
        mailer.send(new_mail(), MESSAGE_ID)
    smtp_sink.refuse_with = None

    mailer.send(new_mail(), MESSAGE_ID)

    assert len(smtp_sink.mails) == 1


# Servers that fail


@pytest.mark.parametrize('moment', [GREETING, 'EHLO', 'MAIL', 'RCPT', 'DATA', END_OF_MAIL])
@pytest.mark.parametrize('response', [CLOSE, SILENCE, 'nonsense', '421 too busy', '999', '2' * 10_000])
def test_a_server_that_fails_at_any_moment_is_worth_another_try(moment: str, response: str) -> None:
    with ScriptedSmtp({moment: response, 'HELO': response}) as server:
        error = not_sent(at(server.port), timeout=IMPATIENT if response == SILENCE else PATIENCE)

    assert not error.permanent
    assert str(error).startswith('the mail server ')


@pytest.mark.parametrize('response', [CLOSE, SILENCE, 'nonsense', '500 no'])
def test_a_mail_that_was_taken_is_sent_however_the_server_says_good_bye(
    response: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    def be_impatient(smtp: smtplib.SMTP) -> tuple[int, bytes]:
        assert smtp.sock is not None
        smtp.sock.settimeout(IMPATIENT)
        return quit_(smtp)

    quit_ = smtplib.SMTP.quit
    if response == SILENCE:
        monkeypatch.setattr(smtplib.SMTP, 'quit', be_impatient)
    with ScriptedSmtp({'QUIT': response}) as server:
        send(at(server.port))

    assert '.' in server.received


@pytest.mark.parametrize('port', [closed_port, silent_port])
@pytest.mark.parametrize('implicit_tls', [False, True])
def test_a_server_that_is_away_or_silent_is_given_up(
    port: Callable[[], AbstractContextManager[int]], implicit_tls: bool
) -> None:
    with port() as number:
        server = SmtpServer(host='127.0.0.1', port=number, implicit_tls=implicit_tls)
        error = not_sent(server, timeout=IMPATIENT)

    assert not error.permanent


@pytest.mark.parametrize('host', ['x' * 64 + '.example', 'a..b', ''])
def test_a_host_that_cannot_be_is_worth_another_try(host: str) -> None:
    error = not_sent(SmtpServer(host=host, port=1))

    assert not error.permanent


# What an error tells


@pytest.mark.parametrize('moment', ['AUTH', 'MAIL', 'RCPT', END_OF_MAIL])
def test_no_error_repeats_the_password_or_the_servers_words(moment: str) -> None:
    script = {
        'EHLO': '250-scripted\r\n250 AUTH PLAIN',
        'AUTH': '235 welcome',
        moment: f'550 maker:{PASSWORD} reader@example.com',
    }
    with ScriptedSmtp(script) as server:
        error = not_sent(SmtpServer(host='127.0.0.1', port=server.port, username='maker', password=PASSWORD))

    shown = ''.join(traceback.format_exception(error)) + repr(error)
    assert PASSWORD not in shown
    assert 'reader@example.com' not in shown
