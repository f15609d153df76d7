"""What no column of the tables takes is refused by the stand-ins too."""
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def check_columns(row: Any) -> None:
    """Hold each value to its declared type; above all, there must be one where None is not allowed."""
    entity: Any = type(row)
    for name, types in _columns(entity).items():
        value = getattr(row, name)
        if not isinstance(value, types):
            raise TypeError(f'{type(row).__name__}.{name} cannot be {value!r}')
        if is_dataclass(value):
            check_columns(value)


@cache
def _columns(entity: type) -> dict[str, tuple[type, ...]]:
    hints = get_type_hints(entity)
    return {each.name: _types(hints[each.name]) for each in fields(entity)}


def _types(hint: Any) -> tuple[type, ...]:
    hints = get_args(hint) if isinstance(hint, UnionType) else (hint, )
    return tuple(get_origin(each) or each for each in hints)
