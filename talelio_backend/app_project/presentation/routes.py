from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, Response

from talelio_backend.app_project.business import services
from talelio_backend.app_project.business.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_project.business.project import BODY_SIZE, LIST_LENGTH, TITLE_LENGTH
from talelio_backend.app_project.presentation.schemas import ProjectAnswer, PublishBody
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.presentation.schemas import Username
from talelio_backend.shared.business.errors import InvalidValue
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.bearer import authenticate
from talelio_backend.shared.presentation.idempotency import KEY_ERRORS, Idempotency, ResultKeepingUnitOfWork
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.paging import answer_page, page_query, read_page_request
from talelio_backend.shared.presentation.request_body import read_body
from talelio_backend.shared.presentation.request_errors import InvalidQuery


class KeyedProjectUnitOfWork(ProjectUnitOfWork, ResultKeepingUnitOfWork, Protocol):
    pass


@dataclass(frozen=True, kw_only=True)
class ProjectParts:
    """What the project routes hand to their services."""

    unit_of_work: Callable[[], KeyedProjectUnitOfWork]
    idempotency: Idempotency
    renderer: MarkdownRenderer
    access_tokens: AccessTokens


def project_routes(parts: ProjectParts) -> Blueprint:
    routes = Blueprint('projects', __name__, url_prefix='/v1')

    @routes.post('/projects')
    @described(
        'Publish a project',
        bearer='required',
        body=PublishBody,
        answers={HTTPStatus.CREATED: ProjectAnswer},
        errors=[
            InvalidValue('title', 'must not be blank'),
            InvalidValue('title', f'must have at most {TITLE_LENGTH} characters'),
            InvalidValue('body', f'must have at most {BODY_SIZE // 1024} KiB of text'),
            TooExpensiveToRender(),
            NotRenderable(),
            AccountGone(),
            *KEY_ERRORS,
        ],
        request_headers=['Idempotency-Key'],
        answer_headers=['Idempotency-Replayed'],
    )
    def publish() -> Response:
        author = authenticate(parts.access_tokens)
        body = read_body(PublishBody)
        return parts.idempotency.answer(
            parts.unit_of_work,
            lambda uow: services.publish(
                uow,
                parts.renderer,
                author,
                title=body.title,
                body=body.body,
                now=datetime.now(UTC),
            ),
            lambda project: answer(ProjectAnswer.model_validate(project), HTTPStatus.CREATED),
            caller=author,
            content=body.as_bytes,
        )

    @routes.get('/users/<username>/projects')
    @described(
        "List a user's projects, newest first",
        query=page_query(maximum=LIST_LENGTH),
        answers={HTTPStatus.OK: list[ProjectAnswer]},
        errors=[
            UserNotFound('maker'),
            InvalidQuery.about('limit', f'must be a whole number from 1 to {LIST_LENGTH}')
        ],
        answer_headers=['Link'],
    )
    def list_of_user(username: Username) -> Response:
        page = services.list_of_user(parts.unit_of_work(), username, read_page_request(maximum=LIST_LENGTH))
        projects = [ProjectAnswer.model_validate(project) for project in page.items]
        return answer_page(projects, page.next_before)

    return routes
