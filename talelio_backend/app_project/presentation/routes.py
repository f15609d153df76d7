from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, Response, url_for

from talelio_backend.app_project.business import publishing, reading
from talelio_backend.app_project.business.errors import (
    NotRenderable,
    NotYourProject,
    ProjectNotFound,
    SlugTaken,
    TooExpensiveToRender,
)
from talelio_backend.app_project.business.fields import BODY_SIZE, TITLE_LENGTH
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectReading, ProjectUnitOfWork
from talelio_backend.app_project.business.project import LIST_LENGTH, ShownProject
from talelio_backend.app_project.presentation.lists import (
    ProjectListQuery,
    SparseProjectAnswer,
    answer_listed,
)
from talelio_backend.app_project.presentation.project_json import project_content, represent_project
from talelio_backend.app_project.presentation.schemas import ChangeBody, ProjectAnswer, PublishBody, Slug
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.presentation.schemas import Username
from talelio_backend.shared.business.errors import InvalidValue, PreconditionFailed
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.bearer import authenticate, authenticate_if_given
from talelio_backend.shared.presentation.conditions import Representation, precondition
from talelio_backend.shared.presentation.idempotency import KEY_ERRORS, Idempotency, ResultKeepingUnitOfWork
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.request_body import read_body
from talelio_backend.shared.presentation.request_errors import InvalidQuery
from talelio_backend.shared.presentation.request_query import Query, read_query


class KeyedProjectUnitOfWork(ProjectUnitOfWork, ResultKeepingUnitOfWork, Protocol):
    pass


_FIELD_ERRORS = (
    InvalidValue('title', 'must not be blank'),
    InvalidValue('title', f'must have at most {TITLE_LENGTH} characters'),
    InvalidValue('body', f'must have at most {BODY_SIZE // 1024} KiB of text'),
    TooExpensiveToRender(),
    NotRenderable(),
    SlugTaken('a-chair'),
)
_OWNER_ERRORS = (ProjectNotFound(), NotYourProject(), AccountGone(), PreconditionFailed())


@dataclass(frozen=True, kw_only=True)
class ProjectParts:
    """What the project routes hand to their services."""

    unit_of_work: Callable[[], KeyedProjectUnitOfWork]
    reading: Callable[[], ProjectReading]
    idempotency: Idempotency
    renderer: MarkdownRenderer
    access_tokens: AccessTokens
    # Whether a URL is that of a picture which was uploaded here.
    is_own_image: Callable[[str], bool]
    api_base_url: str

    def represent(self, project: ShownProject) -> Representation:
        return represent_project(project, self.api_base_url)


def project_routes(parts: ProjectParts) -> Blueprint:
    routes = Blueprint('projects', __name__, url_prefix='/v1')

    @routes.post('/projects')
    @described(
        'Publish a project',
        bearer='required',
        body=PublishBody,
        answers={HTTPStatus.CREATED: ProjectAnswer},
        errors=[*_FIELD_ERRORS, AccountGone(), *KEY_ERRORS],
        request_headers=['Idempotency-Key'],
        answer_headers=['Idempotency-Replayed'],
    )
    def publish() -> Response:
        author = authenticate(parts.access_tokens)
        body = read_body(PublishBody)
        return parts.idempotency.answer(
            parts.unit_of_work,
            lambda uow: publishing.publish(
                uow,
                parts.renderer,
                parts.is_own_image,
                author,
                body.given,
                now=datetime.now(UTC),
            ),
            lambda project: answer(parts.represent(project), HTTPStatus.CREATED),
            caller=author,
            content=body.as_bytes,
        )

    @routes.get('/projects/<id:project_id>')
    @described(
        'Show a project',
        bearer='optional',
        answers={HTTPStatus.OK: ProjectAnswer},
        errors=[ProjectNotFound(), AccountGone()],
    )
    def show(project_id: int) -> Response:
        read_query(Query)
        reader = authenticate_if_given(parts.access_tokens)
        return answer(parts.represent(reading.show(parts.reading(), reader, project_id, datetime.now(UTC))))

    @routes.patch('/projects/<id:project_id>')
    @described(
        'Change a project',
        description='What is absent stays as it is.',
        bearer='required',
        body=ChangeBody,
        answers={HTTPStatus.OK: ProjectAnswer},
        errors=[*_FIELD_ERRORS, *_OWNER_ERRORS],
        request_headers=['If-Match'],
    )
    def change(project_id: int) -> Response:
        owner = authenticate(parts.access_tokens)
        project = publishing.change(
            parts.unit_of_work(),
            parts.renderer,
            parts.is_own_image,
            owner,
            project_id,
            read_body(ChangeBody).given,
            now=datetime.now(UTC),
            precondition=precondition(parts.represent),
        )
        return answer(parts.represent(project))

    @routes.delete('/projects/<id:project_id>')
    @described(
        'Delete a project',
        bearer='required',
        answers={HTTPStatus.NO_CONTENT: None},
        errors=_OWNER_ERRORS,
        request_headers=['If-Match'],
    )
    def delete(project_id: int) -> Response:
        owner = authenticate(parts.access_tokens)
        publishing.delete(
            parts.unit_of_work(),
            owner,
            project_id,
            now=datetime.now(UTC),
            precondition=precondition(parts.represent),
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    @routes.get('/users/<username>/projects')
    @described(
        "List a user's projects",
        description='The newest first, unless `sort` or `q` say otherwise.',
        bearer='optional',
        query=ProjectListQuery,
        answers={HTTPStatus.OK: list[ProjectAnswer] | list[SparseProjectAnswer]},  # type: ignore[valid-type]
        errors=[
            UserNotFound('maker'),
            InvalidQuery.about('limit', f'must be a whole number from 1 to {LIST_LENGTH}'),
            InvalidQuery("Unknown parameter 'page'; this path takes 'limit', 'before', …", []),
            InvalidQuery.about('q', 'must have a letter or a digit'),
            AccountGone(),
        ],
        answer_headers=['Link', 'X-Total-Count'],
    )
    def list_of_user(username: Username) -> Response:
        query = read_query(ProjectListQuery)
        listing = query.listing
        reader = authenticate_if_given(parts.access_tokens)
        listed = reading.list_of_user(
            parts.reading(),
            reader,
            username,
            listing,
            showing=query.status,
            now=datetime.now(UTC),
        )
        return answer_listed(
            listed, listing, query.fields, partial(project_content, api_base_url=parts.api_base_url)
        )

    @routes.get('/users/<username>/projects/<slug>')
    @described(
        "Show a project of a user's by its slug",
        bearer='optional',
        answers={
            HTTPStatus.OK: ProjectAnswer,
            HTTPStatus.PERMANENT_REDIRECT: None
        },
        errors=[ProjectNotFound(), AccountGone()],
    )
    def show_by_slug(username: Username, slug: Slug) -> Response:
        read_query(Query)
        reader = authenticate_if_given(parts.access_tokens)
        project = reading.show_by_slug(parts.reading(), reader, username, slug, datetime.now(UTC))
        if project.slug != slug:
            # It was called so before.
            location = url_for('.show_by_slug', username=username, slug=project.slug)
            return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={'Location': location})
        return answer(parts.represent(project))

    return routes
