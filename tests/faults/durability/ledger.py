"""What the clients asked for and what they were told, so that it can be held against what is there."""
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

# What a thing looks like from outside; None where it is not there.
State = str | None


@dataclass
class Thing:
    """Something that one client makes and changes, one step after the other."""

    # All that it may be now. Of a step whose answer did not come nobody knows whether it was made.
    allowed: set[State] = field(default_factory=lambda: {None})
    # All that anybody ever asked it to be.
    asked: set[State] = field(default_factory=lambda: {None})
    # For whoever has to find out how it was lost.
    history: list[str] = field(default_factory=list)

    def acknowledged(self, state: State) -> None:
        self.allowed = {state}
        self.asked.add(state)

    def unknown(self, state: State) -> None:
        self.allowed.add(state)
        self.asked.add(state)


@dataclass
class Verdict:
    """Of one look at one kind of thing."""

    # Acknowledged, and not there, or not any more what it was acknowledged to be.
    lost: list[str] = field(default_factory=list)
    # There, though nobody asked for it, or asked for it once.
    ghosts: list[str] = field(default_factory=list)

    def __add__(self, other: 'Verdict') -> 'Verdict':
        return Verdict(self.lost + other.lost, self.ghosts + other.ghosts)


class Ledger:
    """Shared by all clients. Things are known by their kind and by a name that the database knows, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._things: dict[tuple[str, str], Thing] = {}
        # How steps ended: by the operation, and acknowledged, refused or unknown.
        self.outcomes: Counter[tuple[str, str]] = Counter()
        # Statuses that no fault explains.
        self.strange: list[str] = []

    def thing(self, kind: str, name: str) -> Thing:
        with self._lock:
            return self._things.setdefault((kind, name), Thing())

    def note(self, operation: str, outcome: str) -> None:
        with self._lock:
            self.outcomes[operation, outcome] += 1

    def things(self, kind: str) -> dict[str, Thing]:
        with self._lock:
            return {name: thing for (each, name), thing in self._things.items() if each == kind}

    def compare(self, kind: str, found: Mapping[str, list[str]]) -> Verdict:
        """`found` are all things of the kind that there are, by name; more than one of a name is a ghost."""
        verdict = Verdict()
        things = self.things(kind)
        for name, states in found.items():
            if name not in things or len(states) > 1:
                verdict.ghosts.append(f'{kind} {name}: {states}')
        for name, thing in things.items():
            state = found[name][0] if name in found else None
            if state not in thing.asked:
                verdict.ghosts.append(f'{kind} {name}: {state}')
            elif state not in thing.allowed:
                verdict.lost.append(f'{kind} {name}: {state} instead of {thing.allowed}, {thing.history}')
            # Whatever was unknown is known now, and what is wrong counts once.
            thing.allowed = {state}
            thing.asked.add(state)
        return verdict
