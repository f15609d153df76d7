import json
from datetime import UTC, datetime

import pytest
from flask import Flask

from talelio_backend.shared.audit.business.audit_trail import EventKind, SecurityEvent
from talelio_backend.shared.audit.presentation.audit_commands import audit_commands
from talelio_backend.shared.business.errors import NotFound
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, new_event


def account_id_of(email: str) -> int:
    if email != 'maker@example.com':
        raise NotFound(f"There is no account '{email}'")
    return 7


def run(uow: FakeUnitOfWork, *arguments: str) -> tuple[int, str]:
    app = Flask(__name__)
    app.cli.add_command(audit_commands(lambda: uow, account_id_of))
    result = app.test_cli_runner().invoke(args=['audit', *arguments])
    return result.exit_code, result.output


def holding(*events: SecurityEvent) -> FakeUnitOfWork:
    uow = FakeUnitOfWork()
    with uow:
        for event in events:
            uow.audit.add(event)
        uow.commit()
    return uow


def test_each_event_is_printed_on_one_line() -> None:
    code, output = run(holding(new_event(account_id=7)), 'list')

    assert code == 0
    assert output.splitlines() == [
        '2026-03-01 12:30:59  login.failed           account 7  by anonymous  from 192.0.2.7  tries=3  '
        '[request-1]',
        '1 events',
    ]


def test_an_empty_trail_is_reported() -> None:
    assert run(FakeUnitOfWork(), 'list') == (0, '0 events\n')
    assert run(FakeUnitOfWork(), 'list', '--json') == (0, '[]\n')


def test_events_are_printed_as_json() -> None:
    event = new_event(account_id=7)

    code, output = run(holding(event), 'list', '--json')

    assert code == 0
    assert json.loads(output) == [{
        'id': event.id,
        'occurred_at': '2026-03-01 12:30:59.123456',
        'kind': 'login.failed',
        'account_id': 7,
        'actor': 'anonymous',
        'address': '192.0.2.7',
        'network': '192.0.2.0/24',
        'user_agent': 'curl/8',
        'request_id': 'request-1',
        'details': {
            'tries': 3
        },
    }]


@pytest.mark.parametrize(('options', 'accounts'), [
    (['--account', '7'], [7]),
    (['--account', 'maker@example.com'], [7]),
    (['--event', 'login.succeeded'], [8]),
    (['--since', '1d'], [8]),
    (['--since', '2026-03-02'], [8]),
    (['--since', '2026-03-01T12:30:59.123456+00:00'], [8, 7]),
    (['--limit', '1'], [8]),
])
def test_list_applies_the_filters(options: list[str], accounts: list[int]) -> None:
    now = datetime.now(UTC)
    uow = holding(
        new_event(account_id=7, now=NOW), new_event(EventKind.LOGIN_SUCCEEDED, account_id=8, now=now)
    )

    code, output = run(uow, 'list', '--json', *options)

    assert code == 0
    assert [event['account_id'] for event in json.loads(output)] == accounts


def test_a_truncated_list_is_reported() -> None:
    assert '1 events, perhaps more' in run(holding(new_event(), new_event()), 'list', '--limit', '1')[1]


@pytest.mark.parametrize(('options', 'code', 'complaint'), [
    (['--account', 'other@example.com'], 1, "There is no account 'other@example.com'"),
    (['--event', 'login'], 2, "'login' is not one of"),
    (['--since', 'yesterday'], 2, "'yesterday' is neither like 90m"),
    (['--limit', '0'], 2, '0 is not in the range'),
])
def test_invalid_options_are_explained(options: list[str], code: int, complaint: str) -> None:
    ended, output = run(FakeUnitOfWork(), 'list', *options)

    assert ended == code
    assert complaint in output
