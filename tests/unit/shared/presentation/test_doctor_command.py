import json

from click.testing import CliRunner

from talelio_backend.shared.business.checkup import Finding, Report, fail, ok, warn
from talelio_backend.shared.presentation.doctor_command import doctor_command


def run(*findings: Finding, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    result = CliRunner().invoke(doctor_command(lambda: Report(findings=findings)), arguments)
    return result.exit_code, result.output


def test_each_finding_is_a_line_and_what_is_wrong_has_a_second_one() -> None:
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


def test_warnings_are_no_failure() -> None:
    assert run(warn('proxies', 'none', 'set one'))[0] == 0
    assert run(warn('proxies', 'none', 'set one'), arguments=('--json', ))[0] == 0


def test_json_has_every_key_of_every_finding() -> None:
    code, output = run(ok('mail', 'sent'), fail('database', 'away', 'start it'), arguments=('--json', ))

    assert code == 1
    assert json.loads(output) == {
        'ok': False,
        'checks': [
            {'name': 'mail', 'status': 'ok', 'found': 'sent', 'mend': None},
            {'name': 'database', 'status': 'fail', 'found': 'away', 'mend': 'start it'},
        ]
    }  # yapf: disable


def test_what_a_server_said_stays_in_its_line() -> None:
    _, output = run(fail('database', 'no\nok    mail   \x1b[2Jsent', 'mend'))

    assert output.splitlines()[0] == r'FAIL  database                no ok mail \x1b[2Jsent'
