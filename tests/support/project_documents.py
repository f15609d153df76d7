"""The JSON of a project by another way than the database's: pydantic writes it by the schema of the API."""
import json
from math import ceil
from typing import Any

from talelio_backend.app_project.business.domain.project import Project, ProjectView
from talelio_backend.app_project.presentation.schemas import ProjectAnswer, TocAnswer


def answer_of(project: Project, url: str) -> ProjectAnswer:
    made = ('toc', 'reading_time_minutes', 'url')
    values = {name: getattr(project, name) for name in dict(ProjectAnswer.model_fields) if name not in made}
    words = len(project.body.split()) if project.words is None else project.words
    return ProjectAnswer(
        **values,
        toc=[TocAnswer.model_validate(entry) for entry in project.toc or []],
        reading_time_minutes=max(1, ceil(words / 238)),
        url=url
    )


def document_of(project: Project) -> str:
    return answer_of(project, '').model_dump_json().removesuffix(',"url":""}')


def content_of(project: ProjectView) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(f'{project.document}}}')
    return content
