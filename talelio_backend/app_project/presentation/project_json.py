"""The JSON of projects. The database has written all but its end, see `project_table`."""
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response

from talelio_backend.app_project.business.domain.project import Project, ProjectView
from talelio_backend.app_project.presentation.html_forms import STORED, HtmlForm
from talelio_backend.shared.presentation.caching.conditional_requests import Representation, tag_of
from talelio_backend.shared.presentation.json_responses import model_response, to_json


def project_url(api_base_url: str, project_id: int) -> str:
    """Return the permanent URL, which does not depend on the slug."""
    return f'{api_base_url}/v1/projects/{project_id}'


def project_json(project: ProjectView, api_base_url: str) -> orjson.Fragment:
    """Return what `to_json` writes as a `ProjectAnswer`."""
    url = to_json(project_url(api_base_url, project.id)).decode()
    return orjson.Fragment(f'{project.document},"url":{url}}}')


def project_content(project: ProjectView, api_base_url: str, form: HtmlForm = STORED) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(to_json(project_json(project, api_base_url)))
    return content if form == STORED else form.apply(content)


def represent_project(project: ProjectView, api_base_url: str, form: HtmlForm = STORED) -> Representation:
    write = project_json if form == STORED else partial(project_content, form=form)
    return Representation(
        content=to_json(write(project, api_base_url)),
        modified_at=project.updated_at or project.created_at,
    )


def written_response(project: Project, api_base_url: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return the project with the warnings, if there are any. The ETag is the one of a GET, without them."""
    representation = represent_project(project, api_base_url)
    if not project.warnings:
        return model_response(representation, status)
    content = {**project_content(project, api_base_url), 'warnings': project.warnings}
    response = model_response(replace(representation, content=to_json(content)), status)
    response.set_etag(tag_of(representation.content))
    return response
