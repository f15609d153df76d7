"""The ledger against the database, the store and the mailbox."""
import base64
import json
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any

from psycopg2.extensions import connection

from tests.faults.durability.ledger import Ledger, Verdict
from tests.faults.durability.world import World
from tests.faults.invariants import broken_rows, claimed_keys
from tests.support.database import connect

# What there is of each kind, by the name under which the ledger knows it.
_FOUND = {
    'account':
    "SELECT email, CASE WHEN verified THEN 'verified' ELSE 'new' END FROM accounts",
    'location':
    'SELECT username, location FROM users',
    'project':
    'SELECT body, title FROM projects',
    'picture':
    """
        SELECT email || '/' || width, 'there'
        FROM images JOIN users ON users.id = images.user_id JOIN accounts ON accounts.id = users.account_id
        WHERE deleted_at IS NULL
    """,
}
_CONFIRM = 'Confirm your e-mail address'
_CHOOSE = 'Choose a new password'


def compare_rows(ledger: Ledger, database: connection) -> Verdict:
    verdict = Verdict()
    for kind, query in _FOUND.items():
        found: dict[str, list[str]] = defaultdict(list)
        for name, state in _rows(database, query):
            found[name].append(state)
        verdict += ledger.compare(kind, found)
    return verdict + _compare_sessions(ledger, database)


def _compare_sessions(ledger: Ledger, database: connection) -> Verdict:
    verdict = Verdict()
    query = 'SELECT sessions.id, email FROM sessions JOIN accounts ON accounts.id = account_id'
    found = dict(_rows(database, query))
    accounts = {email for email, in _rows(database, 'SELECT email FROM accounts')}
    for token, thing in ledger.things('token').items():
        email, = thing.allowed
        if email in accounts and found.get(_session_of(token)) != email:
            verdict.lost.append(f'session of {email}')
    asked = Counter(name.partition(' ')[0] for name in ledger.things('login'))
    for email, number in Counter(found.values()).items():
        if number > asked[email]:
            verdict.ghosts.append(f'{number} sessions of {email}')
    return verdict


def _session_of(token: str) -> int:
    payload = token.split('.')[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)))
    return int(claims['sid'])


def half_stored(world: World) -> tuple[list[str], int]:
    """What is there in part; and how many files there are that nobody needs, which the sweep takes."""
    with closing(connect(world.postgres.direct_url)) as database:
        found = broken_rows(database)
        claimed = claimed_keys(database)
    stored = world.stored()
    return found + [f'{key} has no file' for key in claimed - stored], len(stored - claimed)


def compare_mail(ledger: Ledger, world: World) -> tuple[Verdict, int, int]:
    """Also how many mails have come, and how many of them a second time."""
    verdict = Verdict()
    mails = world.sink.mails
    came = Counter((mail['To'], mail['Subject'].partition(' for ')[0], mail['Message-ID']) for mail in mails)
    kinds = Counter((to, subject) for to, subject, _ in came)
    accounts = ledger.things('account')
    wishes = ledger.things('wish')
    for to, subject in kinds:
        if to not in accounts or (subject == _CHOOSE and to not in wishes):
            verdict.ghosts.append(f'mail to {to}: {subject}')
        elif kinds[to, subject] > 1:
            verdict.ghosts.append(f'{kinds[to, subject]} different mails to {to}: {subject}')
    for email, thing in accounts.items():
        # Once an account is verified, or gone, its mail is not sent any more.
        if thing.allowed == {'new'} and not kinds[email, _CONFIRM]:
            verdict.lost.append(f'mail to {email}: {_CONFIRM}')
    for email, thing in wishes.items():
        if thing.allowed == {'asked'} and accounts[email].allowed == {'verified'
                                                                      } and not kinds[email, _CHOOSE]:
            verdict.lost.append(f'mail to {email}: {_CHOOSE}')
    return verdict, len(mails), came.total() - len(came)


def _rows(database: connection, query: str) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
