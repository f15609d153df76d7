import json
from datetime import UTC, datetime

from talelio_backend.app_project.business.domain.project import ProjectView
from talelio_backend.app_project.presentation.html_forms import HtmlForm
from talelio_backend.app_project.presentation.project_json import (
    project_content,
    project_json,
    represent_project,
)
from talelio_backend.shared.presentation.json_responses import to_json

API = 'https://api.example.com'
URL = f'{API}/v1/projects/7'
HTML = '<pre><code><span class="k">a</span></code></pre>'


def view(document: str) -> ProjectView:
    return ProjectView(
        id=7, user_id=1, created_at=datetime(2026, 1, 2, tzinfo=UTC), slug='a', document=document
    )


def test_the_url_completes_the_document() -> None:
    project = view('{"id":7,"title":"é"')

    assert represent_project(project, API).content == f'{{"id":7,"title":"é","url":"{URL}"}}'.encode()
    assert project_content(project, API) == {'id': 7, 'title': 'é', 'url': URL}


def test_a_url_is_escaped() -> None:
    assert project_content(view('{"id":7'), 'https://"')['url'] == 'https://"/v1/projects/7'


def test_a_list_contains_the_json_of_projects() -> None:
    projects = [view('{"id":7,"title":"é"'), view('{"id":8')]

    content = to_json([project_json(project, API) for project in projects])

    assert content == b'[' + b','.join(represent_project(project, API).content for project in projects) + b']'


def test_another_form_changes_the_html() -> None:
    project = view(json.dumps({'id': 7, 'html': HTML, 'toc': []})[:-1])

    plain = represent_project(project, API, HtmlForm(highlight=False))

    assert json.loads(plain.content) == {'id': 7, 'html': '<pre><code>a</code></pre>', 'toc': [], 'url': URL}
