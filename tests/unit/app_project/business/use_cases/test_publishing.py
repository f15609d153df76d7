from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from talelio_backend.app_project.business.domain.errors import (
    NotYourProject,
    ProjectNotFound,
    SlugTaken,
    TooExpensiveToRender,
)
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.use_cases import publishing
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def own(url: str) -> bool:
    return url.startswith('http://images.test/')


def publish(
    uow: FakeUnitOfWork, author: Identity, title: str = 'Title', body: str = 'x', **values: Any
) -> Project:
    values = {'title': title, 'body': body, **values}
    return publishing.publish(uow, FakeRenderer(), own, author, ProjectPatch(**values), now=NOW)


def change(
    uow: FakeUnitOfWork,
    owner: Identity,
    project: Project,
    *,
    now: datetime = LATER,
    **values: Any
) -> Project:
    return publishing.change(uow, FakeRenderer(), own, owner, project.id, ProjectPatch(**values), now=now)


def test_a_text_waits_as_its_authors(uow: FakeUnitOfWork, author: Identity) -> None:
    renderer = FakeRenderer()
    patch = ProjectPatch(title='Title', body='x')

    project = publishing.publish(uow, renderer, own, author, patch, now=NOW)
    assert renderer.account_id == author.account_id
    renderer.account_id = None
    publishing.change(uow, renderer, own, author, project.id, ProjectPatch(body='y'), now=LATER)
    assert renderer.account_id == author.account_id


def test_publish_stores_the_body_as_sent_and_its_html(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, ' Title ', '  body\r\n')

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.body, stored.html) == (' Title ', '  body\r\n', '<p>  body\r\n</p>')
    assert (stored.created_at, stored.updated_at) == (NOW, None)
    assert stored.user_id == uow.store.accounts[author.account_id].user.id


@pytest.mark.parametrize(
    ('title', 'body', 'message'),
    [
        ('', 'x', "'title' must not be blank"),
        (' \t\n', 'x', "'title' must not be blank"),
        ('\u200b\u2060', 'x', "'title' must not be blank"),
        ('\u3164\u1160', 'x', "'title' must not be blank"),
        ('\x1b[31mred', 'x', "'title' must not have line breaks and other control characters"),
        ('a\r\nb', 'x', "'title' must not have line breaks and other control characters"),
        ('a\u2028b', 'x', "'title' must not have line breaks and other control characters"),
        ('x' * 301, 'x', "'title' must have at most 300 characters"),
        ('Title', 'x' * (256 * 1024 + 1), "'body' must have at most 256 KiB"),
        ('Title', 'ü' * (128 * 1024 + 1), "'body' must have at most 256 KiB"),
    ],
)
def test_fields_beyond_their_limits_are_refused(
    uow: FakeUnitOfWork, author: Identity, title: str, body: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        publish(uow, author, title, body)
    assert not uow.store.projects


@pytest.mark.parametrize(('title', 'body'), [('x' * 300, ''), ('👩\u200d🚀', ''), ('\ue000', ''),
                                             ('Title', 'x' * 256 * 1024), ('Title', 'ü' * 128 * 1024)])
def test_fields_at_their_limits_are_accepted(
    uow: FakeUnitOfWork, author: Identity, title: str, body: str
) -> None:
    assert publish(uow, author, title, body).id in uow.store.projects


def test_publish_stores_nothing_if_rendering_fails(uow: FakeUnitOfWork, author: Identity) -> None:
    with pytest.raises(TooExpensiveToRender):
        publish(uow, author, body='too expensive')
    assert not uow.store.projects


def test_publish_requires_an_existing_account(uow: FakeUnitOfWork) -> None:
    with pytest.raises(AccountGone):
        publish(uow, Identity(99))


def test_absent_fields_get_defaults(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, 'A chair & a table', 'First words')

    stored = uow.store.projects[project.id]
    assert (stored.slug, stored.summary, stored.given_summary) == ('a-chair-a-table', 'First words', None)
    assert (stored.status, stored.published_at) == (ProjectStatus.PUBLISHED, NOW)
    assert (stored.tags, stored.cover_image, stored.position) == ([], None, 0)
    assert (stored.toc, stored.words) == ([], 2)


def test_publish_stores_all_fields(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(
        uow,
        author,
        slug='mine',
        summary=' As I say ',
        status=ProjectStatus.DRAFT,
        published_at=LATER,
        tags=['Wood', 'wood', ' C++ '],
        cover_image='https://images.example/1.jpg',
        position=7,
    )

    stored = uow.store.projects[project.id]
    assert (stored.slug, stored.summary) == ('mine', ' As I say ')
    assert (stored.status, stored.published_at) == (ProjectStatus.DRAFT, LATER)
    assert (stored.tags, stored.cover_image, stored.position) == (['wood',
                                                                   'c++'], 'https://images.example/1.jpg', 7)


def test_drafts_have_no_publication_time(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, status=ProjectStatus.DRAFT)
    assert project.published_at is None

    change(uow, author, project, status=ProjectStatus.PUBLISHED)

    assert uow.store.projects[project.id].published_at == LATER


def test_unpublishing_keeps_the_publication_time(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    change(uow, author, project, status=ProjectStatus.DRAFT)
    change(uow, author, project, status=ProjectStatus.PUBLISHED)

    assert uow.store.projects[project.id].published_at == NOW


def test_null_publication_time_means_now(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, published_at=LATER + timedelta(days=1))
    assert not project.is_public(LATER)

    change(uow, author, project, published_at=None)

    assert uow.store.projects[project.id].is_public(LATER)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'slug': ''}, "'slug' must have 1 to 80 characters"),
        ({'slug': 'x' * 81}, "'slug' must have 1 to 80 characters"),
        ({'slug': 'A Slug'}, "such as 'a-slug'"),
        ({'slug': '../x'}, "such as 'x'"),
        ({'slug': 'über'}, "such as 'uber'"),
        ({'summary': ' '}, "'summary' must not be blank"),
        ({'summary': 'x' * 501}, "'summary' must have at most 500 characters"),
        ({'published_at': datetime(1969, 12, 31, tzinfo=UTC)}, "'published_at' must lie in the years"),
        ({'published_at': datetime(3000, 1, 1, tzinfo=UTC)}, "'published_at' must lie in the years"),
        ({'tags': ['']}, "'tags' must have items of 1 to 40 characters"),
        ({'tags': ['x' * 41]}, "'tags' must have items of 1 to 40 characters"),
        ({'tags': ['a,b']}, 'without control characters and commas'),
        ({'tags': ['a\u202eb']}, 'without control characters'),
        ({'tags': [str(number) for number in range(21)]}, "'tags' must have at most 20 items"),
        ({'cover_image': 'http://elsewhere.example/x.jpg'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'javascript:alert(1)'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://a.example:x/'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://[a/'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://a@b.example/'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://a.example/"onload="x'}, "'cover_image' must be the URL of an uploaded"),
        ({'cover_image': 'https://a.example/' + 'x' * 2048}, "'cover_image' must have at most 2048"),
        ({'position': -1}, "'position' must be a whole number from 0 to 1000000"),
        ({'position': 1_000_001}, "'position' must be a whole number from 0 to 1000000"),
    ],
)  # yapf: disable
def test_invalid_fields_are_refused(
    uow: FakeUnitOfWork, author: Identity, values: dict[str, Any], message: str
) -> None:
    project = publish(uow, author)

    with pytest.raises(Invalid, match=message):
        publish(uow, author, **values)
    with pytest.raises(Invalid, match=message):
        change(uow, author, project, **values)

    assert list(uow.store.projects) == [project.id]
    assert uow.store.projects[project.id].updated_at is None


def test_cover_image_accepts_uploaded_images_of_any_scheme(uow: FakeUnitOfWork, author: Identity) -> None:
    assert publish(uow, author, cover_image='http://images.test/1').cover_image == 'http://images.test/1'


def test_equal_titles_get_different_slugs(uow: FakeUnitOfWork, author: Identity) -> None:
    slugs = [publish(uow, author, 'A chair').slug for _ in range(60)]

    assert slugs[:3] == ['a-chair', 'a-chair-2', 'a-chair-3']
    assert len(set(slugs)) == 60


def test_slugs_are_unique_per_user(uow: FakeUnitOfWork, author: Identity, other: Identity) -> None:
    assert publish(uow, author).slug == publish(uow, other).slug == 'title'


def test_slug_of_another_project_is_refused(uow: FakeUnitOfWork, author: Identity) -> None:
    publish(uow, author, slug='one')
    second = publish(uow, author, slug='two')

    with pytest.raises(SlugTaken, match="another project with the slug 'one'"):
        publish(uow, author, slug='one')
    with pytest.raises(SlugTaken, match="another project with the slug 'one'"):
        change(uow, author, second, slug='one')
    assert [project.slug for project in uow.store.projects.values()] == ['one', 'two']


def test_changing_the_title_keeps_the_slug(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)

    assert change(uow, author, project, title='Another').slug == 'title'
    assert change(uow, author, project, slug=None).slug == 'another'


def test_old_slug_finds_its_project_until_it_is_reused(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    change(uow, author, project, slug='new')
    assert {slug: old.project_id for (_, slug), old in uow.store.old_slugs.items()} == {'title': project.id}

    # A derived slug avoids the old one. A requested slug takes it.
    assert publish(uow, author).slug == 'title-2'
    assert publish(uow, author, slug='title').slug == 'title'
    assert not uow.store.old_slugs


def test_project_can_take_back_its_old_slug(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    change(uow, author, project, slug='new')
    change(uow, author, project, slug=None)

    assert uow.store.projects[project.id].slug == 'title'
    assert [slug for _, slug in uow.store.old_slugs] == ['new']


def test_change_leaves_other_fields_alone(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, tags=['a'], summary='values', position=3)

    changed = change(uow, author, project, body='other')

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.body, stored.html) == ('Title', 'other', '<p>other</p>')
    assert (stored.tags, stored.summary, stored.position) == (['a'], 'values', 3)
    assert (stored.created_at, stored.updated_at) == (NOW, LATER) == (changed.created_at, changed.updated_at)


def test_default_summary_follows_the_body(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, summary='values')
    assert change(uow, author, project, summary=None, body='First').summary == 'First'


def test_change_without_effect_keeps_updated_at(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, tags=['a'])

    change(uow, author, project)
    change(uow, author, project, title='Title', body='x', slug='title', tags=['A'], summary=None, position=0)

    assert uow.store.projects[project.id].updated_at is None


def test_change_renders_only_a_new_body(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    renderer = FakeRenderer()

    publishing.change(uow, renderer, own, author, project.id, ProjectPatch(title='Other'), now=LATER)

    assert renderer.rendered == 0


def test_concurrent_changes_do_not_overwrite_other_fields(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    renderer = FakeRenderer()
    renderer.meanwhile = lambda: change(FakeUnitOfWork(uow.store), author, project, title='Meanwhile')

    publishing.change(uow, renderer, own, author, project.id, ProjectPatch(body='new'), now=LATER)

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.body, stored.html) == ('Meanwhile', 'new', '<p>new</p>')


def test_change_fails_if_the_project_is_deleted_meanwhile(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    renderer = FakeRenderer()
    renderer.meanwhile = lambda: publishing.delete(FakeUnitOfWork(uow.store), author, project.id, now=NOW)

    with pytest.raises(ProjectNotFound):
        publishing.change(uow, renderer, own, author, project.id, ProjectPatch(body='new'), now=LATER)
    assert not uow.store.projects


def test_change_has_no_effect_if_rendering_fails(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)

    with pytest.raises(TooExpensiveToRender):
        change(uow, author, project, title='Other', body='too expensive')
    assert uow.store.projects[project.id].title == 'Title'


class Refused(Exception):
    pass


def refuse(_project: Project) -> None:
    raise Refused


def test_failed_precondition_prevents_the_change(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    renderer = FakeRenderer()

    with pytest.raises(Refused):
        publishing.change(
            uow, renderer, own, author, project.id, ProjectPatch(body='new'), now=LATER, precondition=refuse
        )
    with pytest.raises(Refused):
        publishing.delete(uow, author, project.id, now=LATER, precondition=refuse)

    assert renderer.rendered == 0
    assert uow.store.projects[project.id].body == 'x'


def test_precondition_is_checked_again_after_rendering(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    renderer = FakeRenderer()
    renderer.meanwhile = lambda: change(FakeUnitOfWork(uow.store), author, project, title='Meanwhile')

    def unchanged(seen: Project) -> None:
        if seen.title != 'Title':
            raise Refused

    with pytest.raises(Refused):
        publishing.change(
            uow,
            renderer,
            own,
            author,
            project.id,
            ProjectPatch(body='new'),
            now=LATER,
            precondition=unchanged
        )
    assert uow.store.projects[project.id].body == 'x'


def test_delete_removes_the_project_and_its_slugs(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    change(uow, author, project, slug='new')

    publishing.delete(uow, author, project.id, now=LATER)

    assert not uow.store.projects and not uow.store.old_slugs


def change_it(uow: FakeUnitOfWork, identity: Identity, project: Project) -> None:
    change(uow, identity, project, title='Other')


def delete_it(uow: FakeUnitOfWork, identity: Identity, project: Project) -> None:
    publishing.delete(uow, identity, project.id, now=LATER)


@pytest.mark.parametrize('attempt', [change_it, delete_it])
def test_only_the_owner_may_change_a_project(
    uow: FakeUnitOfWork, author: Identity, other: Identity,
    attempt: Callable[[FakeUnitOfWork, Identity, Project], None]
) -> None:
    public, draft = publish(uow, author), publish(uow, author, status=ProjectStatus.DRAFT)

    with pytest.raises(NotYourProject):
        attempt(uow, other, public)
    with pytest.raises(ProjectNotFound):
        attempt(uow, other, draft)
    with pytest.raises(AccountGone):
        attempt(uow, Identity(99), public)

    assert [project.title for project in uow.store.projects.values()] == ['Title', 'Title']


@pytest.mark.parametrize('slug', ['title', 'another'])
def test_change_combines_slug_and_other_fields(uow: FakeUnitOfWork, author: Identity, slug: str) -> None:
    project = publish(uow, author, 'Title')

    change(uow, author, project, title='Other', slug=slug)

    stored = uow.store.projects[project.id]
    assert (stored.title, stored.slug, stored.updated_at) == ('Other', slug, LATER)
    assert len(uow.store.revisions) == 1


def test_delete_checks_the_precondition(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author)
    seen: list[Project] = []

    publishing.delete(uow, author, project.id, now=LATER, precondition=seen.append)

    assert [each.id for each in seen] == [project.id]


def test_new_slug_sets_updated_at(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, title='Title')
    assert project.updated_at is None

    assert change(uow, author, project, slug='new').updated_at is not None
    assert uow.store.projects[project.id].updated_at is not None
