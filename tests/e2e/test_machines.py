"""Random histories over HTTP, against a plain model. `make fuzz` runs them for longer."""
from psycopg2.extensions import connection

from tests.fuzz.machines.account_machine import AccountMachine
from tests.fuzz.machines.project_machine import ProjectMachine
from tests.fuzz.machines.running import run_machine
from tests.fuzz.machines.served_accounts import ServedAccounts
from tests.fuzz.machines.served_projects import ServedProjects
from tests.support.served_api import ServedApi


def test_projects_are_what_the_model_says_whatever_was_done(api: ServedApi) -> None:
    before = ProjectMachine.steps

    run_machine(lambda: ProjectMachine(ServedProjects(api)), examples=2, steps=12)

    print(f'{ProjectMachine.steps - before} steps')
    assert ProjectMachine.steps - before > 10


def test_accounts_are_what_the_model_says_whatever_was_done(api: ServedApi, database: connection) -> None:
    before = AccountMachine.steps

    run_machine(lambda: AccountMachine(ServedAccounts(api, database)), examples=3, steps=15)

    print(f'{AccountMachine.steps - before} steps')
    assert AccountMachine.steps - before > 10
