"""How long a state machine runs: shortly and always the same, or for longer and anew each time."""
import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run_machine(machine: Callable[[], RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """`examples` histories of at most so many steps, unless FUZZ_EXAMPLES says how many."""
    longer = os.environ.get('FUZZ_EXAMPLES')
    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # Whatever makes one will do.
        settings=settings(
            max_examples=int(longer) if longer else examples,
            stateful_step_count=2 * steps if longer else steps,
            derandomize=longer is None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
