"""What it costs to ask, for each request with a token, whether its session is still there.

In this process, with PostgreSQL on the same machine, among as many sessions as a busy site has. The same
token is checked with the look-up and without by turns, as the machine may have other work, too.
"""
import time
from collections.abc import Callable

from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.session import Client, Session
from talelio_backend.app_account.business.use_cases.sessions import CheckedAccessTokens
from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.bootstrap import ReadSession, UnitOfWork, map_entities
from talelio_backend.shared.business.identity import AccessTokens, Identity
from talelio_backend.shared.data.engine import make_engine
from tests.benchmarks.results import Row, Spread, in_ms, percentile
from tests.benchmarks.rig import Rig
from tests.support.account_use_cases import NOW
from tests.support.samples import new_account
from tests.support.served_api import SECRET_KEY

_CALLS = 200
_WARM_UP = 100
# For each round: what is measured more often is worth more sessions.
_SESSIONS = 1000


def token_checks(rig: Rig) -> list[Row]:
    map_entities()
    engine: Engine = make_engine(rig.database_url, pool_size=1)
    try:
        signed = JwtAccessTokens(SECRET_KEY)
        token = _issue_among_many(lambda: UnitOfWork(engine), signed, _SESSIONS * rig.pace.rounds)
        kinds: dict[str, AccessTokens] = {
            'a token: its signature': signed,
            'a token: and its session': CheckedAccessTokens(signed, lambda: ReadSession(engine)),
        }
        return _measure(kinds, token, calls=_CALLS * rig.pace.rounds)
    finally:
        engine.dispose()


def _issue_among_many(unit_of_work: Callable[[], UnitOfWork], signed: JwtAccessTokens, number: int) -> str:
    account = new_account(now=NOW)
    sessions: list[Session] = []
    with unit_of_work() as uow:
        uow.accounts.add(account)
        client = Client(device='Firefox on Linux', address='192.0.2.1')
        for each in range(number):
            sessions.append(Session.begin(account.id, f'secret {each}', client, NOW))
            uow.sessions.add(sessions[-1])
        uow.commit()
    return signed.issue(Identity(account.id, sessions[number // 2].id, account.token_epoch), NOW)


def _measure(kinds: dict[str, AccessTokens], token: str, *, calls: int) -> list[Row]:
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(_WARM_UP + calls):
        for name, tokens in kinds.items():
            began = time.perf_counter()
            tokens.read(token)
            if number >= _WARM_UP:
                times[name].append(time.perf_counter() - began)
    return [_row(name, seconds) for name, seconds in times.items()]


def _row(name: str, seconds: list[float]) -> Row:
    tenth, median, nine_tenths = (in_ms(percentile(seconds, each)) or 0.0 for each in (10, 50, 90))
    return Row(
        group='tokens',
        name=name,
        unit='ms',
        measured=Spread(median, tenth, nine_tenths),
        p50_ms=median,
        p99_ms=in_ms(percentile(seconds, 99)),
    )
