"""What it costs to ask, for each request with a token, whether its session is still there.

In one process, with PostgreSQL on the same machine, among as many sessions as a busy site has. The same
token is checked with the look-up and without by turns, as the machine may have other work, too.
"""
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config

from talelio_backend.app_account.business.checked_access_tokens import CheckedAccessTokens
from talelio_backend.app_account.business.session import Client, Session
from talelio_backend.bootstrap import UnitOfWork, map_entities
from talelio_backend.config import PROJECT_FOLDER
from talelio_backend.shared.business.identity import AccessTokens, Identity
from talelio_backend.shared.data.database import make_engine
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
from talelio_backend.shared.data.jwt import JwtAccessTokens
from tests.support.account_use_cases import NOW
from tests.support.samples import new_account
from tests.support.served_api import SECRET_KEY

CALLS = 1000
WARM_UP = 100
SESSIONS = 5000


def main() -> None:
    map_entities()
    with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(
        Path(name) / 'postgres', durable=False
    ) as url:
        config = Config(PROJECT_FOLDER / 'alembic.ini')
        config.attributes['database_url'] = url
        command.upgrade(config, 'head')
        engine = make_engine(url, pool_size=1)
        try:
            _report(lambda: UnitOfWork(engine))
        finally:
            engine.dispose()


def _report(unit_of_work: Callable[[], UnitOfWork]) -> None:
    account = new_account(now=NOW)
    sessions: list[Session] = []
    with unit_of_work() as uow:
        uow.accounts.add(account)
        client = Client(device='Firefox on Linux', address='192.0.2.1')
        for number in range(SESSIONS):
            sessions.append(Session.begin(account.id, f'secret {number}', client, NOW))
            uow.sessions.add(sessions[-1])
        uow.commit()
    signed = JwtAccessTokens(SECRET_KEY)
    kinds: list[AccessTokens] = [signed, CheckedAccessTokens(signed, unit_of_work)]
    token = signed.issue(Identity(account.id, sessions[SESSIONS // 2].id, account.token_epoch), NOW)
    times: dict[str, list[float]] = {'signature alone': [], 'with the look-up': []}
    for number in range(WARM_UP + CALLS):
        for what, tokens in zip(times, kinds):
            began = time.perf_counter()
            tokens.read(token)
            if number >= WARM_UP:
                times[what].append(time.perf_counter() - began)
    for what, seconds in times.items():
        tenths = statistics.quantiles(seconds, n=10)
        print(
            f'{what}: {statistics.median(seconds) * 1000:.2f} ms in the median of {CALLS} calls, '
            f'{tenths[0] * 1000:.2f} to {tenths[-1] * 1000:.2f} from the first to the last tenth'
        )


if __name__ == '__main__':
    main()
