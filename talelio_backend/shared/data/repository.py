from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, CursorResult, Delete, Select, Table, Update, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.data.engine import broken_constraint
from talelio_backend.shared.data.orm import mapper_registry

EntityT = TypeVar('EntityT')


class SqlAlchemyRepository(Generic[EntityT]):
    """See `shared.business.repository.Repository`. A subclass adds the queries of its port."""

    entity: type[EntityT]
    table: Table
    mapping_options: Mapping[str, Any] = {}

    @classmethod
    def map_entity(cls) -> None:
        mapper_registry.map_imperatively(cls.entity, cls.table, **cls.mapping_options)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entity: EntityT) -> None:
        self._session.add(entity)
        self.save(entity)

    def save(self, entity: EntityT) -> None:
        # The flush gives the entity its id, and broken constraints raise here.
        with self._constraint_errors(entity):
            self._session.flush()

    def get(self, id_: Any) -> EntityT | None:
        return self._session.get(self.entity, id_)

    def get_for_update(self, id_: Any) -> EntityT | None:
        return self._session.get(self.entity, id_, with_for_update=True, populate_existing=True)

    def delete(self, entity: EntityT) -> None:
        self._session.delete(entity)

    def _errors(self, _entity: EntityT) -> Mapping[str, BusinessError]:
        """Map names of constraints to the errors to raise."""
        return {}

    @contextmanager
    def _constraint_errors(self, entity: EntityT) -> Iterator[None]:
        # The entity cannot be read after a failed flush.
        errors = self._errors(entity)
        try:
            yield
        except IntegrityError as error:
            known = errors.get(broken_constraint(error) or '')
            if known is None:
                raise
            raise known from error

    def _find(self, *conditions: ColumnElement[bool], lock: bool = False) -> EntityT | None:
        query = select(self.entity).where(*conditions)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self._session.scalar(query)

    def _list(self, query: Select[Any]) -> Sequence[EntityT]:
        return self._session.scalars(query).all()

    def _batch(self,
               limit: int,
               *conditions: ColumnElement[bool],
               order: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
        """Match at most `limit` rows with the conditions, and none that another transaction has locked."""
        key = self.table.primary_key.columns
        rows = select(*key).where(*conditions).order_by(order).limit(limit).with_for_update(skip_locked=True)
        return tuple_(*key).in_(rows)

    def _execute(self, statement: Delete | Update) -> int:
        """Return the number of matched rows."""
        result = self._session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount
