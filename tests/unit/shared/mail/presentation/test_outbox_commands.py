from datetime import UTC, datetime

from flask import Flask

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail
from talelio_backend.shared.mail.presentation.outbox_commands import outbox_commands
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def run(uow: FakeUnitOfWork, *arguments: str) -> tuple[int, str]:
    app = Flask(__name__)
    app.cli.add_command(outbox_commands(lambda: uow))
    result = app.test_cli_runner().invoke(args=['outbox', *arguments])
    return result.exit_code, result.output


def failed(uow: FakeUnitOfWork) -> OutboxMail:
    mail = OutboxMail.queue('verification', {'account_id': 7}, NOW)
    mail.fail('the mail server refused the recipient ([550])', NOW, permanent=True)
    with uow:
        uow.outbox.add(mail)
        uow.commit()
    return mail


def test_unsent_mail_is_listed_with_the_reason() -> None:
    uow = FakeUnitOfWork()
    mail = failed(uow)

    code, output = run(uow, 'list')

    assert code == 0
    assert output.splitlines() == [
        f'{mail.id}  failed    verification account_id=7  queued 2026-01-02 03:04:05.000000'
        '  tries 0  the mail server refused the recipient ([550])',
        '1 not sent',
    ]


def test_an_empty_outbox_is_reported() -> None:
    assert run(FakeUnitOfWork(), 'list') == (0, '0 not sent\n')


def test_a_failed_mail_is_replayed() -> None:
    uow = FakeUnitOfWork()
    mail = failed(uow)

    assert run(uow, 'replay', str(mail.id)) == (0, f'Mail {mail.id} is due now\n')
    assert uow.store.outbox[mail.id].status is MailStatus.PENDING


def test_replaying_a_missing_mail_fails_with_the_reason() -> None:
    assert run(FakeUnitOfWork(), 'replay', '7') == (1, 'Error: There is no mail 7\n')


def test_a_list_says_in_a_line_that_the_database_is_away() -> None:

    class Away(FakeUnitOfWork):

        def __exit__(self, *_details: object) -> None:
            raise Unavailable('The database is not available, please try again')

    assert run(Away(), 'list') == (1, 'Error: The database is not available, please try again\n')
