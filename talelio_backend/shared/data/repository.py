from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from sqlalchemy import CursorResult, Delete, Select, Update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.data.engine import broken_constraint

EntityT = TypeVar('EntityT')


class SqlAlchemyRepository(Generic[EntityT]):
    """What repositories have in common; of each, business code sees what its port names."""

    entity: type[EntityT]

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entity: EntityT) -> None:
        self._session.add(entity)
        self.save(entity)

    def save(self, entity: EntityT) -> None:
        """Write what is new at once: the row has its id afterwards, and breaks no constraint later."""
        with self._constraint_errors(entity):
            self._session.flush()

    def get(self, id_: Any) -> EntityT | None:
        return self._session.get(self.entity, id_)

    def get_for_update(self, id_: Any) -> EntityT | None:
        """Lock the row until the transaction ends, and read its newest state."""
        return self._session.get(self.entity, id_, with_for_update=True, populate_existing=True)

    def delete(self, entity: EntityT) -> None:
        self._session.delete(entity)

    def _errors(self, _entity: EntityT) -> Mapping[str, BusinessError]:
        """What to raise when the entity breaks a constraint, by the constraint's name."""
        return {}

    @contextmanager
    def _constraint_errors(self, entity: EntityT) -> Iterator[None]:
        # After a failed flush the entity can no longer be read.
        errors = self._errors(entity)
        try:
            yield
        except IntegrityError as error:
            known = errors.get(broken_constraint(error) or '')
            if known is None:
                raise
            raise known from error

    def _list(self, query: Select[Any]) -> Sequence[EntityT]:
        return self._session.scalars(query).all()

    def _execute(self, statement: Delete | Update) -> int:
        """Return how many rows it was about."""
        result = self._session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount
