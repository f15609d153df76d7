"""The JSON that the database writes equals what pydantic makes of the OpenAPI document's schema."""
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.presentation.project_json import project_content, represent_project
from talelio_backend.shared.presentation.json_responses import to_json
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar
from tests.support.project_documents import answer_of, document_of
from tests.support.samples import new_project

API = 'https://api.example.com'
# The characters that PostgreSQL can store.
TEXTS = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=40)
ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)
TOCS: st.SearchStrategy[list[dict[str, Any]]] = st.recursive(
    st.just([]),
    lambda children: st.
    lists(st.fixed_dictionaries({
        'text': TEXTS,
        'children': children,
        'id': TEXTS
    }), max_size=3),
    max_leaves=8
)
PROJECTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({
    'created_at':
    TIMES,
    'updated_at':
    st.none() | TIMES,
    'title':
    TEXTS,
    'body':
    TEXTS,
    'given_summary':
    st.none() | TEXTS,
    'status':
    st.sampled_from(ProjectStatus),
    'published_at':
    st.none() | TIMES,
    'tags':
    st.lists(TEXTS, max_size=3),
    'cover_image':
    st.none() | TEXTS,
    'position':
    st.integers(0, 1_000_000),
    'html':
    TEXTS,
    'excerpt':
    st.none() | TEXTS,
    'toc':
    st.none() | TOCS,
    'words':
    st.none() | st.integers(0, 100_000),
})
EVERY_CHARACTER = ''.join(chr(number) for number in range(1, 0x3000)) + '\u2028\ufeff\uffff😀 ": , \\", '


@pytest.fixture(name='backing')
def fixture_backing(engine: Engine) -> RealBacking:
    return RealBacking(engine)


@pytest.fixture(name='owner')
def fixture_owner(backing: RealBacking) -> Account:
    return committed_account(backing)


def added(backing: RealBacking, owner: Account, values: dict[str, Any]) -> Project:
    project = new_project(owner.user.id)
    for name, value in values.items():
        setattr(project, name, value)
    with backing.unit_of_work() as uow:
        uow.projects.add(project)
        uow.commit()
    return project


# The examples share a database, in which each is a project of its own.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(values=PROJECTS)
def test_the_document_matches_the_schema(
    backing: RealBacking, owner: Account, values: dict[str, Any]
) -> None:
    project = added(backing, owner, values)

    answer = answer_of(project, f'{API}/v1/projects/{project.id}').model_dump_json().encode()
    assert represent_project(project, API).content == answer
    # What loses nothing when it is read and written again is JSON in the same form.
    assert to_json(project_content(project, API)) == answer


def test_strings_are_encoded_like_pydantic(backing: RealBacking, owner: Account) -> None:
    toc = [{'id': EVERY_CHARACTER, 'text': EVERY_CHARACTER, 'children': []}]
    texts = dict.fromkeys(['body', 'html', 'given_summary', 'cover_image'], EVERY_CHARACTER)

    project = added(backing, owner, {**texts, 'toc': toc})

    assert project.document == document_of(project)


def test_a_change_returns_the_new_document(backing: RealBacking, owner: Account) -> None:
    project = added(backing, owner, {})

    with backing.unit_of_work() as uow:
        changed = uow.projects.get_for_update(project.id)
        assert changed is not None and changed.document == project.document
        changed.title = 'Another'
        uow.projects.save(changed)
        uow.commit()

    assert changed.document == document_of(changed) != project.document
    with backing.read_session() as read_session:
        view = read_session.project_views.get(project.id)
    assert view is not None and view.document == changed.document


def test_a_statement_that_does_not_know_of_documents_changes_them(
    engine: Engine, backing: RealBacking, owner: Account
) -> None:
    project = added(backing, owner, {})

    with engine.begin() as connection:
        connection.execute(text("UPDATE projects SET title = 'By hand', document = '{}'"))

    project.title = 'By hand'
    assert scalar(engine, 'SELECT document FROM projects') == document_of(project)
