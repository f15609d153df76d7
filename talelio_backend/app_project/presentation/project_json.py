"""Serializing projects as JSON. A test compares the output to `ProjectAnswer`."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response

from talelio_backend.app_project.business.domain.project import Project, ProjectView
from talelio_backend.app_project.presentation.html_forms import STORED, HtmlForm
from talelio_backend.shared.presentation.caching.conditional_requests import Representation, tag_of
from talelio_backend.shared.presentation.json_responses import model_response, to_json
from talelio_backend.shared.presentation.schemas import format_utc


def project_url(api_base_url: str, project_id: int) -> str:
    """Return the permanent URL, which does not depend on the slug."""
    return f'{api_base_url}/v1/projects/{project_id}'


def project_content(project: ProjectView, api_base_url: str, form: HtmlForm = STORED) -> dict[str, Any]:
    """In the order of the fields of `ProjectAnswer`."""
    return {
        'id': project.id,
        'user_id': project.user_id,
        'created_at': format_utc(project.created_at),
        'updated_at': None if project.updated_at is None else format_utc(project.updated_at),
        'title': project.title,
        'body': project.body,
        'html': form.html(project),
        'slug': project.slug,
        'summary': project.summary,
        'status': project.status.value,
        'published_at': None if project.published_at is None else format_utc(project.published_at),
        'tags': project.tags,
        'cover_image': project.cover_image,
        'position': project.position,
        'toc': form.toc(project),
        'reading_time_minutes': project.reading_time_minutes,
        'url': project_url(api_base_url, project.id),
    }


def represent_project(project: ProjectView, api_base_url: str, form: HtmlForm = STORED) -> Representation:
    return Representation(
        content=to_json(project_content(project, api_base_url, form)),
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
