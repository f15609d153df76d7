from contextlib import closing

from tests.support.database import connect, execute
from tests.support.members import Member
from tests.support.served_api import ServedApi

_FUNCTION = """
    CREATE OR REPLACE FUNCTION postpone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.rotated_at := NEW.rotated_at + interval '1 hour';
        RETURN NEW;
    END
    $$
"""
_TRIGGER = """
    CREATE TRIGGER postpone_{id} BEFORE UPDATE OF rotated_at ON sessions
    FOR EACH ROW WHEN (NEW.account_id = {id}) EXECUTE FUNCTION postpone()
"""


def prolong_grace(api: ServedApi, member: Member) -> None:
    """Have the account's exchanges of tokens noted as an hour later, so that a slow machine ends no grace."""
    with closing(connect(api.environ['DATABASE_URL'])) as database:
        execute(database, _FUNCTION)
        execute(database, _TRIGGER.format(id=int(member.account['id'])))
