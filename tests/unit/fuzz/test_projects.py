from tests.fuzz.machines.project_machine import ProjectMachine
from tests.fuzz.machines.project_use_cases import ProjectUseCases
from tests.fuzz.machines.running import run_machine


def test_projects_are_what_the_model_says_whatever_was_done() -> None:
    before = ProjectMachine.steps

    run_machine(lambda: ProjectMachine(ProjectUseCases()), examples=25, steps=25)

    print(f'{ProjectMachine.steps - before} steps')
    assert ProjectMachine.steps - before > 50
