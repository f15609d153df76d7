"""Random histories of projects, against the model: the same rules for use cases and for the served API."""
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fuzz.machines.project_model import FUTURE, PAST, Fields, ModelProject, ProjectModel, View

OWNERS = ('maker', 'other')
SLUGS = ('a-chair', 'a-chair-2', 'oak')
TITLES = ('A chair', 'A table', 'Oak!')
WORDS = ('oak', 'ash', 'steel')

_REST = {
    'slug': st.none() | st.sampled_from(SLUGS),
    'summary': st.none() | st.sampled_from(WORDS),
    'status': st.sampled_from(['draft', 'published']),
    'published_at': st.sampled_from([None, PAST, FUTURE]),
    'tags': st.lists(st.sampled_from(WORDS), unique=True, max_size=2),
    'position': st.integers(0, 2),
}
_TEXT = {'title': st.sampled_from(TITLES), 'body': st.sampled_from(WORDS)}
_owners = st.sampled_from(OWNERS)
_readers = st.sampled_from([None, *OWNERS])
_numbers = st.integers(0, 20)


class ProjectSystem(Protocol):
    """What is tried. Errors are their messages."""

    def publish(self, who: str, fields: Fields) -> View | str:
        ...

    def change(self, who: str, project_id: int, fields: Fields) -> View | str:
        ...

    def restore(self, who: str, project_id: int, number: int) -> View | str:
        ...

    def delete(self, who: str, project_id: int) -> str | None:
        ...

    def show(self, reader: str | None, project_id: int) -> View | str:
        ...

    def by_slug(self, reader: str | None, owner: str, slug: str) -> View | str:
        ...

    def listing(self, reader: str | None, owner: str, status: str, word: str | None) -> list[View]:
        ...

    def revisions(self, who: str, project_id: int) -> list[tuple[int, str]] | str:
        """Numbers and titles, the newest first."""


class ProjectMachine(RuleBasedStateMachine):
    steps: ClassVar[int] = 0

    def __init__(self, system: ProjectSystem) -> None:
        super().__init__()
        self.system = system
        self.model = ProjectModel()
        # Also those that were deleted.
        self.ever: list[ModelProject] = []

    @initialize(owner=_owners)
    def begin(self, owner: str) -> None:
        self.publish(owner, {'title': 'A chair', 'body': 'oak'})

    @rule(who=_owners, fields=st.fixed_dictionaries(_TEXT, optional=_REST))
    def publish(self, who: str, fields: dict[str, Any]) -> None:
        expected, answer = self.model.publish(who, fields), self.system.publish(who, fields)
        if isinstance(expected, ModelProject):
            assert isinstance(answer, dict), answer
            expected.id = answer['id']
            self.ever.append(expected)
            assert answer == expected.view
        else:
            assert answer == expected

    @rule(who=_owners, number=_numbers, fields=st.fixed_dictionaries({}, optional=_TEXT | _REST))
    def change(self, who: str, number: int, fields: dict[str, Any]) -> None:
        project = self._any(number)
        answer = self.system.change(who, project.id, fields)
        assert answer == (self.model.change(who, project, fields) or project.view)

    @rule(who=_owners, number=_numbers, revision=st.integers(1, 4))
    def restore(self, who: str, number: int, revision: int) -> None:
        project = self._any(number)
        answer = self.system.restore(who, project.id, revision)
        assert answer == (self.model.restore(who, project, revision) or project.view)

    @precondition(lambda self: len(self.model.projects) > 1)
    @rule(who=_owners, number=_numbers)
    def delete(self, who: str, number: int) -> None:
        project = self._any(number)
        assert self.system.delete(who, project.id) == self.model.delete(who, project)

    @rule(reader=_readers, number=_numbers)
    def show(self, reader: str | None, number: int) -> None:
        project = self._any(number)
        assert self.system.show(reader, project.id) == self.model.show(reader, project)

    @rule(reader=_readers, owner=_owners, slug=st.sampled_from([*SLUGS, 'a-table', 'a-table-2']))
    def by_slug(self, reader: str | None, owner: str, slug: str) -> None:
        assert self.system.by_slug(reader, owner, slug) == self.model.by_slug(reader, owner, slug)

    @rule(reader=_readers, owner=_owners, status=st.sampled_from(['published', 'draft', 'scheduled', 'all']))
    def select(self, reader: str | None, owner: str, status: str) -> None:
        self._compare_lists(reader, owner, status, None)

    @rule(reader=_readers, owner=_owners, word=st.sampled_from([*WORDS, 'chair']))
    def search(self, reader: str | None, owner: str, word: str) -> None:
        self._compare_lists(reader, owner, 'all', word)

    @rule(who=_owners, number=_numbers)
    def list_revisions(self, who: str, number: int) -> None:
        project = self._any(number)
        titles = [(place, text[0]) for place, text in enumerate(project.revisions, start=1)]
        expected = self.model.refusal_of(who, project) or titles[::-1]
        assert self.system.revisions(who, project.id) == expected

    @invariant()
    def shows_everybody_what_is_public_and_its_owner_all(self) -> None:
        type(self).steps += 1
        for owner in OWNERS:
            self._compare_lists(None, owner, 'published', None)
            self._compare_lists(owner, owner, 'all', None)

    def _compare_lists(self, reader: str | None, owner: str, status: str, word: str | None) -> None:
        answer = self.system.listing(reader, owner, status, word)
        if word is not None:
            # The order is that of the ranks, which the model does not know.
            answer = sorted(answer, key=lambda view: -view['id'])
        assert answer == self.model.listing(reader, owner, status, word)

    def _any(self, number: int) -> ModelProject:
        return self.ever[number % len(self.ever)]
