import pytest

from talelio_backend.app_project.business.domain.errors import TooExpensiveToRender
from talelio_backend.app_project.business.domain.project import RENDERING, Project
from talelio_backend.app_project.business.use_cases import rerendering
from talelio_backend.app_project.business.use_cases.rerendering import (
    find_losses,
    find_projects_to_render,
    rerender,
)
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, new_project


def stored(uow: FakeUnitOfWork, author: Identity, *, rendering: int = 0, body: str = 'new') -> Project:
    project = new_project(uow.store.accounts[author.account_id].user.id, body=body)
    project.html, project.updated_at, project.rendering = 'old', NOW, rendering
    with uow:
        uow.projects.add(project)
        uow.commit()
    return project


def test_finds_texts_of_earlier_releases(
    uow: FakeUnitOfWork, author: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerendering, 'BATCH', 2)
    earlier = [stored(uow, author, rendering=number % RENDERING).id for number in range(4)]
    current = stored(uow, author, rendering=RENDERING).id
    stored(uow, author, rendering=RENDERING + 1)

    assert list(find_projects_to_render(uow, even_current=False)) == earlier
    assert list(find_projects_to_render(uow, even_current=True)) == [*earlier, current]
    assert not list(find_projects_to_render(FakeUnitOfWork(), even_current=True))


def test_rerender_keeps_updated_at(uow: FakeUnitOfWork, author: Identity) -> None:
    project_id = stored(uow, author).id

    assert rerender(uow, FakeRenderer(), project_id)

    project = uow.store.projects[project_id]
    assert (project.html, project.rendering, project.updated_at) == ('<p>new</p>', RENDERING, NOW)
    assert not list(find_projects_to_render(uow, even_current=False))


@pytest.mark.parametrize(('field', 'value'), [('body', 'b'), ('html', 'h'), ('rendering', RENDERING)])
def test_rerender_skips_a_project_saved_meanwhile(
    uow: FakeUnitOfWork, author: Identity, field: str, value: object
) -> None:
    project_id = stored(uow, author).id
    renderer = FakeRenderer()
    renderer.meanwhile = lambda: setattr(uow.store.projects[project_id], field, value)

    assert not rerender(uow, renderer, project_id)

    project = uow.store.projects[project_id]
    assert getattr(project, field) == value
    assert project.excerpt is None


def test_rerender_skips_a_deleted_project(uow: FakeUnitOfWork, author: Identity) -> None:
    project_id = stored(uow, author).id
    renderer = FakeRenderer()
    renderer.meanwhile = lambda: uow.store.projects.pop(project_id)

    assert not rerender(uow, renderer, project_id)
    assert not rerender(uow, renderer, project_id)
    assert renderer.rendered == 1


def test_failed_rerender_keeps_the_html(uow: FakeUnitOfWork, author: Identity) -> None:
    project_id = stored(uow, author, body='too expensive').id

    with pytest.raises(TooExpensiveToRender):
        rerender(uow, FakeRenderer(), project_id)

    assert (uow.store.projects[project_id].html, uow.store.projects[project_id].rendering) == ('old', 0)


@pytest.mark.parametrize(
    ('html', 'body', 'losses'),
    [
        ('<p>one <b>two</b></p>\n<p>two &lt;</p>', 'two one &lt; two', []),
        ('<p>one two two</p>', 'two', ['loses one, two']),
        ('<p>a b c</p>', '|a|`b|c`|', ['has | within code of a table in line 1']),
        ('<p>a b c</p>', r'|a|`b\|c`|', []),
        ('<p>a b c</p>', '`a|b` c', []),
    ],
)
def test_find_losses_changes_nothing(
    uow: FakeUnitOfWork, author: Identity, html: str, body: str, losses: list[str]
) -> None:
    project = uow.store.projects[stored(uow, author, body=body).id]
    project.html = html

    assert find_losses(uow, FakeRenderer(), project.id) == losses
    assert (project.html, project.rendering) == (html, 0)


def test_deleted_project_has_no_losses(uow: FakeUnitOfWork) -> None:
    assert not find_losses(uow, FakeRenderer(), 1)
