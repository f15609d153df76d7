from tests.fuzz.machines.account_machine import AccountMachine
from tests.fuzz.machines.account_use_cases import AccountUseCases
from tests.fuzz.machines.running import run_machine


def test_accounts_are_what_the_model_says_whatever_was_done() -> None:
    before = AccountMachine.steps

    run_machine(lambda: AccountMachine(AccountUseCases()), examples=20, steps=25)

    print(f'{AccountMachine.steps - before} steps')
    assert AccountMachine.steps - before > 50
