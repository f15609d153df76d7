"""Secrets are planted wherever the service is given any, and looked for in all that comes out: log, metrics,
traces, errors, and what the database's log says of requests; after everything was tried and made to fail.
"""
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from sqlalchemy import make_url

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from tests.support.answers import ok
from tests.support.database import connect, execute, select_one
from tests.support.members import WHITELIST, Member, Person, new_person, register, verification_path
from tests.support.migrated_cluster import MigratedCluster
from tests.support.otlp_receiver import CAN_TRACE, OtlpReceiver
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.prometheus import METRICS, scrape, total
from tests.support.s3_servers import ACCESS_KEY_ID, AWS_ENVIRON, SECRET_ACCESS_KEY
from tests.support.served_api import SECRET_KEY, ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.uploads import new_picture, send
from tests.support.waiting import wait_until

PASSWORD = 'planted-password-b7e0'
WRONG_PASSWORD = 'planted-wrong-password-2c9a'
NEW_PASSWORD = 'planted-new-password-81d4'
PREVIOUS_KEY = 'planted previous key: 9876543210 abcdef'
SMTP_PASSWORD = 'planted-smtp-password-5d2e'
IDEMPOTENCY_KEY = 'planted-idempotency-key-66ac'
QUERY = 'planted-query-31f7'
USER_AGENT = 'planted-agent-c0de'
BODY_TEXT = 'planted-text-of-a-draft-e19b'


@dataclass
class Trial:
    """What was planted by name, and what came out by where it did."""

    api: ServedApi
    postgres: OwnPostgres
    planted: dict[str, str]
    refused: list[str] = field(default_factory=list)
    out: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        response = self.api.request(method, path, json=json, **options)
        if not response.ok:
            self.refused.append(f'{response.text} {response.headers}')
        return response


def settings(smtp: SmtpSink, postgres: OwnPostgres, collector: OtlpReceiver) -> dict[str, str]:
    return {
        **METRICS,
        **(collector.environ if CAN_TRACE else {}),
        **AWS_ENVIRON,
        'DATABASE_URL': postgres.url,
        'LOG_LEVEL': 'DEBUG',
        'SECRET_KEY_PREVIOUS': PREVIOUS_KEY,
        # The mail server knows nobody of this name.
        'SMTP_URL': smtp.url.replace('//', f'//planted-user:{SMTP_PASSWORD}@'),
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        # Nobody is there.
        'S3_BUCKET': 'pictures',
        'AWS_REGION': 'us-east-1',
        'AWS_ENDPOINT_URL_S3': 'http://127.0.0.1:1',
    }


def live(trial: Trial) -> Member:
    """Everything that succeeds; each secret that is made on the way is noted."""
    person = Person(email=new_person().email, username=new_person().username, password=PASSWORD)
    account = register(trial.api, person)
    link = verification_path(account)
    ok(trial.ask('GET', link))
    given = ok(trial.ask('POST', '/v1/accounts/login', person.login | {'refresh': 'body'}))
    member = Member(person=person, account=account, token=given['access_token'])
    headers = member.bearer | {'Idempotency-Key': IDEMPOTENCY_KEY, 'User-Agent': USER_AGENT}
    for _ in range(2):
        project = {'title': 'A title', 'body': BODY_TEXT, 'status': 'draft'}
        ok(trial.ask('POST', '/v1/projects', project, headers=headers), HTTPStatus.CREATED)
    renewed = ok(trial.ask('POST', '/v1/accounts/token', {'refresh_token': given['refresh_token']}))
    ok(trial.ask('POST', '/v1/accounts/password/forgot', {'email': person.email}), HTTPStatus.ACCEPTED)
    mail_link = MailLink(account['id'], person.email, 0)
    tokens = {
        'verification': link.rpartition('/')[2],
        'access': given['access_token'],
        'refresh': given['refresh_token'],
        'renewed access': renewed['access_token'],
        'renewed refresh': renewed['refresh_token'],
    } | {
        purpose: JwtLinkTokens(purpose, SECRET_KEY).issue(mail_link, datetime.now(UTC))
        for purpose in LinkPurpose if purpose is not LinkPurpose.VERIFICATION
    }
    for name, token in tokens.items():
        # The beginning says only how it is signed; what follows is as good as the whole.
        for number, part in enumerate(token.split('.')[1:]):
            trial.planted[f'{name} token, part {number + 2}'] = part
    trial.planted['address'] = person.email
    go_wrong(trial, member, tokens)
    return member


def go_wrong(trial: Trial, member: Member, tokens: Mapping[str, str]) -> None:
    """Everything that is refused, with the secrets in every place that takes something."""
    person = member.person
    trial.ask('POST', '/v1/accounts/login', person.login | {'password': WRONG_PASSWORD})
    trial.ask('POST', '/v1/accounts/register', person.registration | {'email': new_person().email})
    trial.ask(
        'PUT',
        '/v1/accounts/password', {
            'current_password': WRONG_PASSWORD,
            'new_password': NEW_PASSWORD
        },
        headers=member.bearer
    )
    trial.ask(
        'PUT',
        '/v1/accounts/email', {
            'email': new_person().email,
            'password': WRONG_PASSWORD
        },
        headers=member.bearer
    )
    trial.ask('POST', '/v1/accounts/login', data=f'{{"password": "{PASSWORD}"'.encode())
    trial.ask('POST', '/v1/accounts/login', {'email': PASSWORD, 'password': [PASSWORD]})
    for token in tokens.values():
        trial.ask('GET', f'/v1/accounts/verify/{token}x')
        trial.ask('GET', f'/v1/accounts/password/reset/{token}x')
        trial.ask('GET', f'/v1/accounts/email/confirm/{token}x')
        trial.ask('GET', f'/v1/users/{token}/projects?token={token}&q={QUERY}')
        trial.ask('POST', '/v1/accounts/token', {'refresh_token': token + 'x'})
        trial.ask('POST', '/v1/accounts/password/reset', {'token': token + 'x', 'password': NEW_PASSWORD})
        trial.ask('POST', '/v1/projects', {}, headers={'Authorization': f'Bearer {token}x'})
        trial.ask('GET', '/v1/accounts/me', headers={'Authorization': token, 'X-Request-ID': token[:128]})
        trial.ask('GET', '/v1/accounts/me', cookies={'__Secure-refresh_token': token})
    taken = member.bearer | {'Idempotency-Key': IDEMPOTENCY_KEY}
    trial.ask('POST', '/v1/projects', {'title': 'Another', 'body': ''}, headers=taken)
    trial.refused.append(send(trial.api, member, new_picture()).text)


def break_the_database(trial: Trial, member: Member) -> None:
    with closing(connect(trial.postgres.direct_url)) as database:
        execute(database, 'ALTER TABLE projects RENAME TO hidden')
        try:
            trial.ask('POST', '/v1/projects', {'title': 'Third', 'body': BODY_TEXT}, headers=member.bearer)
        finally:
            execute(database, 'ALTER TABLE hidden RENAME TO projects')
    trial.postgres.proxy.refuse()
    trial.ask('POST', '/v1/accounts/login', member.person.login)
    trial.postgres.proxy.forward()


@pytest.fixture(name='trial', scope='module')
def _trial(tmp_path_factory: pytest.TempPathFactory, migrated_cluster: MigratedCluster) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp('planted')
    with (
        own_postgres(folder / 'postgres', migrated_cluster) as postgres,
        SmtpSink() as smtp,
        OtlpReceiver() as collector,
    ):
        with closing(connect(postgres.direct_url)) as database:
            execute(database, "ALTER SYSTEM SET log_statement = 'all'")
            execute(database, 'SELECT pg_reload_conf()')
        with ServedApi(folder, postgres.url, settings(smtp, postgres, collector)) as api:
            trial = Trial(api=api, postgres=postgres, planted=planted(postgres))
            member = live(trial)
            wait_until(lambda: 'refused the login' in api.log(), 'mail fails')
            break_the_database(trial, member)
            wait_until(lambda: total(api, 'talelio_storage_errors_total') >= 1, 'storage fails')
            trial.out['metrics'] = scrape(api)
        # All were sent when the server had ended.
        trial.out['traces'] = b'\n'.join(collector.bodies).decode(errors='replace')
        trial.out['log'] = api.log()
        trial.out['errors'] = '\n'.join(trial.refused)
        trial.out['statements'] = statements_of(postgres)
        yield trial


def planted(postgres: OwnPostgres) -> dict[str, str]:
    return {
        'password': PASSWORD,
        'wrong password': WRONG_PASSWORD,
        'new password': NEW_PASSWORD,
        'secret key': SECRET_KEY,
        'previous secret key': PREVIOUS_KEY,
        'SMTP password': SMTP_PASSWORD,
        'database password': make_url(postgres.url).password or '',
        'idempotency key': IDEMPOTENCY_KEY,
        'S3 key id': ACCESS_KEY_ID,
        'S3 key': SECRET_ACCESS_KEY,
        'query': QUERY,
        'user agent': USER_AGENT,
        'body': BODY_TEXT,
    }


def statements_of(postgres: OwnPostgres) -> str:
    """The comments of all statements that the server was sent. Values stand in statements by right."""
    with closing(connect(postgres.direct_url)) as database:
        folder = Path(select_one(database, 'SHOW data_directory')).parent
        log: str = select_one(database, 'SELECT pg_read_file(%s)', str(folder / 'server.log'))
    return unquote('\n'.join(re.findall(r'/\*.*?\*/', log)))


@pytest.mark.parametrize('where', ['log', 'metrics', 'statements', 'traces'])
def test_nothing_that_was_planted_comes_out(trial: Trial, where: str) -> None:
    found = [name for name, secret in trial.planted.items() if secret in trial.out[where]]

    assert all(trial.planted.values()) and len(trial.planted) > 25
    assert not found


def test_nothing_that_was_planted_comes_out_in_an_error(trial: Trial) -> None:
    # An address that is taken is named to whoever typed it, as the contract has it.
    planted_there = {name: secret for name, secret in trial.planted.items() if name != 'address'}

    assert len(trial.refused) > 60
    assert not [name for name, secret in planted_there.items() if secret in trial.out['errors']]


def test_it_was_looked_for_where_something_is(trial: Trial) -> None:
    """Or the tests above would pass for having looked at nothing."""
    assert "route='/v1/accounts/login'" in trial.out['statements']
    assert '/v1/accounts/password/reset/<token>' in trial.out['traces'] or not CAN_TRACE
    assert 'talelio_security_events_total{event="login.failed"}' in trial.out['metrics']
    for line in ('unavailable: ', 'unexpected error', 'refused the login', '/v1/accounts/verify/<redacted>'):
        assert line in trial.out['log']
    assert '"status":500' in trial.out['errors'].replace(' ', '')
    assert '"status":503' in trial.out['errors'].replace(' ', '')


def test_a_statement_leads_back_to_its_request(trial: Trial) -> None:
    assert re.search(r"/\*request_id='[0-9a-f]{32}',route='/v1/projects'\*/", trial.out['statements'])
    ids = set(re.findall(r"request_id='([\w.-]+)'", trial.out['statements']))

    assert ids and all(id_ in trial.out['log'] for id_ in ids)
