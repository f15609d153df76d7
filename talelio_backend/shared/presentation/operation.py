"""Describes views for the OpenAPI document, beside their routes.

The schemas are those that parse the request and serialise the response. The errors are examples of those
that the services raise. `openapi.document` builds the document from them.
"""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, TypeVar

from flask import current_app, has_request_context, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from talelio_backend.shared.business.errors import BusinessError

ViewT = TypeVar('ViewT', bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Files:
    """A `multipart/form-data` body: files under arbitrary field names."""

    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Media:
    """A response that is not application/json."""

    types: Sequence[str]
    # A string for text, a mapping for another JSON format, None for binary content.
    example: str | Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Operation:
    """Place it below the route's decorator, as `@described`."""

    summary: str
    _: KW_ONLY
    # By status: a type that pydantic can serialise, Media, or None for no content.
    responses: Mapping[int, Any]
    # Markdown.
    description: str = ''
    body: type[BaseModel] | Files | None = None
    body_required: bool = True
    query: type[BaseModel] | None = None
    bearer: Literal['required', 'optional'] | None = None
    # Examples of what the service raises. Errors that follow from `body` and `bearer`, and those of all
    # routes, are added.
    errors: Sequence[BusinessError | HTTPException] = ()
    # Names in `openapi.headers`.
    request_headers: Sequence[str] = ()
    response_headers: Sequence[str] = ()
    # Whether the response to a GET is a snapshot or has side effects, so that it must not be stored.
    no_store: bool = False

    def __call__(self, view: ViewT) -> ViewT:
        view.operation = self  # type: ignore[attr-defined]
        return view


described = Operation


def operation_of(view: Callable[..., Any]) -> Operation | None:
    return getattr(view, 'operation', None)


def require_described(name: Literal['body', 'query', 'bearer'], *used: object) -> None:
    """Check that the view describes what it reads from the request.

    Raises RuntimeError unless the description is one of `used`.
    """
    if not has_request_context() or request.endpoint is None:
        return
    operation = operation_of(current_app.view_functions[request.endpoint])
    if operation is not None and getattr(operation, name) not in used:
        raise RuntimeError(f'{request.endpoint} reads a {name} that it does not describe: {used}')
