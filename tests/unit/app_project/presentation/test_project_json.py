"""The JSON of projects equals what pydantic makes of the OpenAPI document's schema."""
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from talelio_backend.app_project.business.domain.project import ProjectStatus, ProjectView
from talelio_backend.app_project.presentation.project_json import project_content, represent_project
from talelio_backend.app_project.presentation.schemas import ProjectAnswer, TocAnswer
from talelio_backend.shared.presentation.json_responses import to_json

API = 'https://api.example.com'
# The characters that PostgreSQL can store.
TEXTS = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=40)
ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 30), timezones=ZONES)
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
PROJECTS = st.builds(
    ProjectView,
    id=st.integers(1, 2**31 - 1),
    user_id=st.integers(1, 2**31 - 1),
    created_at=TIMES,
    updated_at=st.none() | TIMES,
    title=TEXTS,
    slug=TEXTS,
    body=TEXTS,
    given_summary=st.none() | TEXTS,
    status=st.sampled_from(ProjectStatus),
    published_at=st.none() | TIMES,
    tags=st.lists(TEXTS, max_size=3),
    cover_image=st.none() | TEXTS,
    position=st.integers(0, 1_000_000),
    html=TEXTS,
    excerpt=st.none() | TEXTS,
    toc=st.none() | TOCS,
    words=st.none() | st.integers(0, 100_000),
)


def described(project: ProjectView) -> str:
    """Return the JSON that pydantic writes."""
    values = {
        name: getattr(project, name)
        for name in dict(ProjectAnswer.model_fields) if name not in ('toc', 'url')
    }
    toc = [TocAnswer.model_validate(entry) for entry in project.toc or []]
    url = f'{API}/v1/projects/{project.id}'
    return ProjectAnswer(**values, toc=toc, url=url).model_dump_json()


@given(PROJECTS)
def test_project_json_matches_the_schema(project: ProjectView) -> None:
    assert represent_project(project, API).content.decode() == described(project)


def test_strings_are_encoded_like_pydantic() -> None:
    text = ''.join(chr(number) for number in range(1, 0x3000)) + '\u2028\ufeff\uffff😀'
    project = ProjectView(
        id=1,
        user_id=1,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        title=text,
        slug='a',
        body=text,
        html=text
    )

    assert represent_project(project, API).content.decode() == described(project)


def test_list_json_contains_project_json() -> None:
    projects = [
        ProjectView(
            id=number,
            user_id=1,
            created_at=datetime(2026, 1, 2, tzinfo=UTC),
            title='é',
            slug='a',
            body='b',
            html='c'
        ) for number in (1, 2)
    ]

    content = to_json([project_content(project, API) for project in projects])

    assert content == b'[' + b','.join(represent_project(project, API).content for project in projects) + b']'
