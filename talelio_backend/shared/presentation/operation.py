"""Describes views for the OpenAPI document, beside their routes.

The schemas are those that parse the request and serialise the response. The errors are examples of those
that the services raise. `openapi.document` builds the document from them.
"""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Operation:
    summary: str
    # Markdown.
    description: str
    body: type[BaseModel] | Files | None
    body_required: bool
    query: type[BaseModel] | None
    bearer: Literal['required', 'optional'] | None
    # By status: a type that pydantic can serialise, Media, or None for no content.
    responses: Mapping[int, Any]
    errors: Sequence[BusinessError | HTTPException]
    # Names in `openapi.headers`.
    request_headers: Sequence[str]
    response_headers: Sequence[str]


# Each is a part of the document.
# pylint: disable-next=too-many-arguments
def described(
    summary: str,
    *,
    responses: Mapping[int, Any],
    description: str = '',
    body: type[BaseModel] | Files | None = None,
    body_required: bool = True,
    query: type[BaseModel] | None = None,
    bearer: Literal['required', 'optional'] | None = None,
    errors: Sequence[BusinessError | HTTPException] = (),
    request_headers: Sequence[str] = (),
    response_headers: Sequence[str] = (),
) -> Callable[[ViewT], ViewT]:
    """Describe a view. Place it below the route's decorator.

    `errors` are examples of what the service raises. Errors that follow from `body` and `bearer`, and those
    of all routes, are added.
    """
    operation = Operation(
        summary=summary,
        description=description,
        body=body,
        body_required=body_required,
        query=query,
        bearer=bearer,
        responses=responses,
        errors=errors,
        request_headers=request_headers,
        response_headers=response_headers,
    )

    def describe(view: ViewT) -> ViewT:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return describe


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
