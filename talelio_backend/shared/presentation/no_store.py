from collections.abc import Callable
from typing import Any, TypeVar

ViewT = TypeVar('ViewT', bound=Callable[..., Any])


def no_store(view: ViewT) -> ViewT:
    """Mark a GET view whose response must not be stored, since it is a snapshot or has side effects."""
    view.no_store = True  # type: ignore[attr-defined]
    return view


def may_be_stored(view: Callable[..., Any]) -> bool:
    return not getattr(view, 'no_store', False)
