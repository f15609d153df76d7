from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from talelio_backend.app_project.business.domain.errors import (
    NotRenderable,
    NotYourProject,
    ProjectNotFound,
    SlugTaken,
    TooExpensiveToRender,
)
from talelio_backend.app_project.business.domain.fields import BODY_SIZE, TITLE_LENGTH
from talelio_backend.app_project.business.domain.project import LIST_LENGTH, ProjectView
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectReadSession, ProjectUnitOfWork
from talelio_backend.app_project.business.use_cases import publishing, reading
from talelio_backend.app_project.presentation.html_forms import ALL, STORED, HtmlForm, HtmlQuery
from talelio_backend.app_project.presentation.project_json import represent_project, written_response
from talelio_backend.app_project.presentation.project_list import (
    ProjectListQuery,
    SparseProjectAnswer,
    list_response,
)
from talelio_backend.app_project.presentation.schemas import (
    ChangeBody,
    ProjectAnswer,
    PublishBody,
    Slug,
    WrittenProjectAnswer,
)
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.presentation.schemas import Username
from talelio_backend.shared.business.errors import InvalidValue, PreconditionFailed
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.idempotency.presentation.idempotency_key import (
    KEY_ERRORS,
    Idempotency,
    ResultObservingUnitOfWork,
)
from talelio_backend.shared.presentation.caching.conditional_requests import Representation, precondition
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate, authenticate_if_given
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.requests.query_parameters import read_query
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery


class KeyedProjectUnitOfWork(ProjectUnitOfWork, ResultObservingUnitOfWork, Protocol):
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
class ProjectDependencies:

    unit_of_work: Callable[[], KeyedProjectUnitOfWork]
    read_session: Callable[[], ProjectReadSession]
    idempotency: Idempotency
    renderer: MarkdownRenderer
    access_tokens: AccessTokens
    # Whether a URL is the one of an uploaded image.
    is_own_image: Callable[[str], bool]
    api_base_url: str

    def represent(self, project: ProjectView, form: HtmlForm = STORED) -> Representation:
        return represent_project(project, self.api_base_url, form)

    def precondition(self) -> Callable[[ProjectView], None] | None:
        """Accept the tags of all forms that a GET of the path returns."""
        return precondition(*(partial(self.represent, form=form) for form in ALL))


def project_routes(dependencies: ProjectDependencies) -> Blueprint:
    routes = Blueprint('projects', __name__, url_prefix='/v1')

    @routes.post('/projects')
    @described(
        'Publish a project',
        bearer='required',
        body=PublishBody,
        responses={HTTPStatus.CREATED: WrittenProjectAnswer},
        errors=[*_FIELD_ERRORS, AccountGone(), *KEY_ERRORS],
        request_headers=['Idempotency-Key'],
        response_headers=['Idempotency-Replayed'],
    )
    def publish() -> Response:
        author = authenticate(dependencies.access_tokens)
        body = read_body(PublishBody)
        return dependencies.idempotency.respond(
            dependencies.unit_of_work,
            lambda uow: publishing.publish(
                uow,
                dependencies.renderer,
                dependencies.is_own_image,
                author,
                body.patch,
                now=datetime.now(UTC),
            ),
            lambda project: written_response(project, dependencies.api_base_url, HTTPStatus.CREATED),
            caller=author,
            content=body.as_bytes,
        )

    @routes.get('/projects/<id:project_id>')
    @described(
        'Show a project',
        bearer='optional',
        responses={HTTPStatus.OK: ProjectAnswer},
        query=HtmlQuery,
        errors=[ProjectNotFound(), AccountGone()],
    )
    def show(project_id: int) -> Response:
        form = read_query(HtmlQuery).form
        reader = authenticate_if_given(dependencies.access_tokens)
        return model_response(
            dependencies.represent(
                reading.show(dependencies.read_session(), reader, project_id, datetime.now(UTC)), form
            )
        )

    @routes.patch('/projects/<id:project_id>')
    @described(
        'Change a project',
        description='Absent fields stay as they are.',
        bearer='required',
        body=ChangeBody,
        responses={HTTPStatus.OK: WrittenProjectAnswer},
        errors=[*_FIELD_ERRORS, *_OWNER_ERRORS],
        request_headers=['If-Match'],
    )
    def change(project_id: int) -> Response:
        owner = authenticate(dependencies.access_tokens)
        project = publishing.change(
            dependencies.unit_of_work(),
            dependencies.renderer,
            dependencies.is_own_image,
            owner,
            project_id,
            read_body(ChangeBody).patch,
            now=datetime.now(UTC),
            precondition=dependencies.precondition(),
        )
        return written_response(project, dependencies.api_base_url)

    @routes.delete('/projects/<id:project_id>')
    @described(
        'Delete a project',
        bearer='required',
        responses={HTTPStatus.NO_CONTENT: None},
        errors=_OWNER_ERRORS,
        request_headers=['If-Match'],
    )
    def delete(project_id: int) -> Response:
        owner = authenticate(dependencies.access_tokens)
        publishing.delete(
            dependencies.unit_of_work(),
            owner,
            project_id,
            now=datetime.now(UTC),
            precondition=dependencies.precondition(),
        )
        return Response(status=HTTPStatus.NO_CONTENT)

    @routes.get('/users/<username>/projects')
    @described(
        "List a user's projects",
        description='Newest first, unless `sort` or `q` is present.',
        bearer='optional',
        query=ProjectListQuery,
        responses={HTTPStatus.OK:
                   list[ProjectAnswer] | list[SparseProjectAnswer]},  # type: ignore[valid-type]
        errors=[
            UserNotFound('maker'),
            InvalidQuery.about('limit', f'must be a whole number from 1 to {LIST_LENGTH}'),
            InvalidQuery("Unknown parameter 'page'; this path takes 'limit', 'before', …", []),
            InvalidQuery.about('q', 'must have a letter or a digit'),
            AccountGone(),
        ],
        response_headers=['Link', 'X-Total-Count'],
    )
    def list_of_user(username: Username) -> Response:
        query = read_query(ProjectListQuery)
        list_query = query.list_query
        reader = authenticate_if_given(dependencies.access_tokens)
        page = reading.list_of_user(
            dependencies.read_session(),
            reader,
            username,
            list_query,
            visibility=query.status,
            now=datetime.now(UTC),
        )
        return list_response(page, query, dependencies.api_base_url)

    @routes.get('/users/<username>/projects/<slug>')
    @described(
        'Show a project by its slug',
        bearer='optional',
        query=HtmlQuery,
        responses={
            HTTPStatus.OK: ProjectAnswer,
            HTTPStatus.PERMANENT_REDIRECT: None
        },
        errors=[ProjectNotFound(), AccountGone()],
    )
    def show_by_slug(username: Username, slug: Slug) -> Response:
        form = read_query(HtmlQuery).form
        reader = authenticate_if_given(dependencies.access_tokens)
        project = reading.show_by_slug(dependencies.read_session(), reader, username, slug, datetime.now(UTC))
        if project.slug != slug:
            # An old slug.
            location = url_for('.show_by_slug', username=username, slug=project.slug)
            if request.args:
                location += f'?{urlencode(request.args)}'
            return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={'Location': location})
        return model_response(dependencies.represent(project, form))

    return routes
