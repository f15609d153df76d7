from typing import Any, ClassVar, Generic, TypeVar

EntityT = TypeVar('EntityT')


class FakeRepository(Generic[EntityT]):
    """See `shared.business.repository.Repository`. Only one thread uses the fakes, so nothing is locked."""

    # The name of the rows in the store.
    table: ClassVar[str]

    def __init__(self, store: Any) -> None:
        self._store = store

    @property
    def _rows(self) -> dict[Any, EntityT]:
        rows: dict[Any, EntityT] = getattr(self._store, self.table)
        return rows

    def add(self, entity: EntityT) -> None:
        id_ = next(self._store.ids)
        setattr(entity, 'id', id_)
        self._rows[id_] = entity

    def save(self, entity: EntityT) -> None:
        """The subclasses check what the constraints of the table do."""

    def get(self, id_: Any) -> EntityT | None:
        return self._rows.get(id_)

    def get_for_update(self, id_: Any) -> EntityT | None:
        return self.get(id_)

    def delete(self, entity: EntityT) -> None:
        del self._rows[next(key for key, row in self._rows.items() if row is entity)]
