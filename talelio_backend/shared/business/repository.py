from typing import Protocol, TypeVar

EntityT = TypeVar('EntityT')
KeyT_contra = TypeVar('KeyT_contra', contravariant=True)


class Repository(Protocol[EntityT, KeyT_contra]):
    """What all repositories do. Each feature adds its queries, and names the errors of `add` and `save`."""

    def add(self, entity: EntityT) -> None:
        """Save a new entity, which gets its id."""

    def save(self, entity: EntityT) -> None:
        """Write the changes now, which detects conflicts."""

    def get(self, id_: KeyT_contra) -> EntityT | None:
        ...

    def get_for_update(self, id_: KeyT_contra) -> EntityT | None:
        """Return the current state, locked until the unit of work ends.

        Leaving the unit of work raises Unavailable if another transaction holds the lock for too long.
        """

    def delete(self, entity: EntityT) -> None:
        ...
