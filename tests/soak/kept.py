"""Whether everything that was acknowledged is there at the end."""
from collections import defaultdict
from contextlib import closing

from tests.faults.durability.ledger import Ledger, Verdict
from tests.faults.invariants import broken_rows, claimed_keys
from tests.soak.world import World
from tests.support.database import connect, select_one
from tests.support.waiting import wait_until

# What there is of each kind, by the name under which the ledger knows it.
_FOUND = {
    'project': r"SELECT substring(body FROM 'v\d+-\d+$'), title FROM projects WHERE body ~ 'v\d+-\d+$'",
    'picture': """
        SELECT email || '/' || width, 'there'
        FROM images JOIN users ON users.id = images.user_id JOIN accounts ON accounts.id = users.account_id
        WHERE deleted_at IS NULL
    """,
    # Those who have only registered, as the visitors were verified.
    'account': "SELECT email, 'new' FROM accounts WHERE NOT verified",
}
_PENDING = "SELECT count(*) FROM outbox WHERE status = 'pending'"


def what_is_wrong(world: World, ledger: Ledger) -> tuple[list[str], dict[str, int]]:
    """Return what was lost, or is there without having been asked for; and how much was kept, by kind."""
    verdict = Verdict()
    kept = {}
    with closing(connect(world.postgres.direct_url)) as database:
        wait_until(lambda: select_one(database, _PENDING) == 0, 'all mail has left', timeout=150)
        for kind, query in _FOUND.items():
            found: dict[str, list[str]] = defaultdict(list)
            with database.cursor() as cursor:
                cursor.execute(query)
                for name, state in cursor:
                    found[name].append(state)
            verdict += ledger.compare(kind, found)
            kept[kind] = len(found)
        wrong = broken_rows(database)
        claimed = claimed_keys(database)
    wrong += [f'lost: {each}' for each in verdict.lost] + [f'ghost: {each}' for each in verdict.ghosts]
    stored = world.stored()
    wrong += [f'lost: the file {key}' for key in sorted(claimed - stored)]
    kept['file'] = len(claimed)
    came = {mail['To'] for mail in world.sink.mails}
    wrong += [
        f'lost: the mail to {email}' for email, thing in ledger.things('account').items()
        if thing.allowed == {'new'} and email not in came
    ]
    kept['mail'] = len(world.sink.mails)
    return wrong, kept
