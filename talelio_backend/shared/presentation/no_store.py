from collections.abc import Callable
from typing import Any, TypeVar

ViewT = TypeVar('ViewT', bound=Callable[..., Any])


def no_store(view: ViewT) -> ViewT:
    """Mark the view of a GET that shows a moment, or does something: nobody may keep its response."""
    view.no_store = True  # type: ignore[attr-defined]
    return view


def may_be_stored(view: Callable[..., Any]) -> bool:
    return not getattr(view, 'no_store', False)
