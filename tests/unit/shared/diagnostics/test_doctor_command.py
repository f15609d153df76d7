import json

from click.testing import CliRunner

from talelio_backend.shared.diagnostics.business.checks import CheckResult, Status
from talelio_backend.shared.diagnostics.presentation.doctor_command import doctor_command


def ok(name: str, found: str) -> CheckResult:
    return CheckResult(name=name, status=Status.OK, found=found)


def warn(name: str, found: str, remedy: str) -> CheckResult:
    return CheckResult(name=name, status=Status.WARN, found=found, remedy=remedy)


def fail(name: str, found: str, remedy: str) -> CheckResult:
    return CheckResult(name=name, status=Status.FAIL, found=found, remedy=remedy)


def run(*results: CheckResult, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    result = CliRunner().invoke(doctor_command(lambda: results), arguments)
    return result.exit_code, result.output


def test_each_result_and_remedy_is_printed_on_a_line() -> None:
    code, output = run(
        ok('mail', 'sent'), warn('proxies', 'none', 'set one'), fail('database', 'away', 'start it')
    )

    assert code == 1
    assert output.splitlines() == [
        'ok    mail                    sent',
        'warn  proxies                 none',
        '                              -> set one',
        'FAIL  database                away',
        '                              -> start it',
    ]


def test_warnings_do_not_fail() -> None:
    assert run(warn('proxies', 'none', 'set one'))[0] == 0
    assert run(warn('proxies', 'none', 'set one'), arguments=('--json', ))[0] == 0


def test_json_has_every_key_of_every_result() -> None:
    code, output = run(ok('mail', 'sent'), fail('database', 'away', 'start it'), arguments=('--json', ))

    assert code == 1
    assert json.loads(output) == {
        'ok': False,
        'checks': [
            {'name': 'mail', 'status': 'ok', 'found': 'sent', 'remedy': None},
            {'name': 'database', 'status': 'fail', 'found': 'away', 'remedy': 'start it'},
        ]
    }  # yapf: disable


def test_messages_are_printed_on_a_single_line() -> None:
    _, output = run(fail('database', 'no\nok    mail   \x1b[2Jsent', 'look'))

    assert output.splitlines()[0] == r'FAIL  database                no ok mail \x1b[2Jsent'
