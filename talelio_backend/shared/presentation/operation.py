"""How a view says, beside its route, what it takes and what it answers.

Nothing of it is said twice: the schemas are those that read the request and write the answer, and the
errors are those that the services raise, as examples. `openapi_document` makes the document of it.
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
    """A `multipart/form-data` body: files under any names."""

    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Media:
    """An answer of another media type than JSON's."""

    types: Sequence[str]
    # A string of text, an object of JSON in a format of its own; bytes have none.
    example: str | Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    summary: str
    # More of it, in Markdown.
    description: str
    body: type[BaseModel] | Files | None
    body_required: bool
    query: type[BaseModel] | None
    bearer: Literal['required', 'optional'] | None
    # By status, what pydantic can write, Media, or None where no content comes.
    responses: Mapping[int, Any]
    errors: Sequence[BusinessError | HTTPException]
    # Names in `openapi_headers`.
    request_headers: Sequence[str]
    response_headers: Sequence[str]


# Each is one thing that the document says.
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
    """Describe the view that follows; written below its route.

    `errors` are examples of what its service raises. What comes of `body`, `bearer` and of faults anywhere
    is added to them.
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
    """What reads a request calls this: a view that reads what it does not describe fails at each request.

    One of `used` must be what is described. Raises RuntimeError.
    """
    if not has_request_context() or request.endpoint is None:
        return
    operation = operation_of(current_app.view_functions[request.endpoint])
    if operation is not None and getattr(operation, name) not in used:
        raise RuntimeError(f'{request.endpoint} reads a {name} that it does not describe: {used}')
