from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_asset.business.image import Image
from talelio_backend.app_asset.business.image_urls import key_of
from talelio_backend.app_feed.business import feeds
from talelio_backend.app_feed.business.errors import FeedNotFound, NothingPublished
from talelio_backend.app_feed.business.feeds import FEED_LENGTH, Cover, Feed
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_user.business.user import User
from tests.fakes.images import FakeImageStore
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import new_account, new_image, new_project

JOINED = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# The change log uses the real clock, too.
NOW = datetime.now(UTC) + DAY
STORE = FakeImageStore()


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    return FakeUnitOfWork()


def joined(uow: FakeUnitOfWork, username: str = 'maker') -> User:
    account = new_account(username, now=JOINED)
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return account.user


def added(uow: FakeUnitOfWork, user: User, project: Project | None = None, *, days: int = 1) -> Project:
    """Publish a project so many days after the user joined, by default."""
    project = project or new_project(user.id, now=JOINED + days * DAY)
    with uow:
        uow.projects.add(project)
        uow.commit()
    return project


def feed(uow: FakeUnitOfWork, username: str = 'maker') -> Feed:
    return feeds.feed_of_user(uow, lambda url: key_of(STORE, url), username, NOW)


def with_cover(uow: FakeUnitOfWork, user: User, image: Image, cover: str | None) -> Cover | None:
    with uow:
        uow.images.add(image)
        uow.commit()
    project = new_project(user.id, now=JOINED)
    project.cover_image = cover
    added(uow, user, project)
    entry, = feed(uow).entries
    return entry.cover


class TestFeedOfUser:

    def test_contains_the_users_newest_projects_first(self, uow: FakeUnitOfWork) -> None:
        maker, other = joined(uow), joined(uow, 'other')
        added(uow, other, days=50)
        projects = [added(uow, maker, days=days) for days in range(1, FEED_LENGTH + 2)]

        found = feed(uow, 'MAKER')

        assert found.user.username == 'maker'
        assert [entry.project.id for entry in found.entries] == [each.id for each in reversed(projects[1:])]

    def test_omits_projects_that_are_not_public_yet(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        added(uow, maker, new_project(maker.id, now=JOINED, status=ProjectStatus.DRAFT))
        added(uow, maker, new_project(maker.id, now=NOW + DAY))

        assert not feed(uow).entries

    def test_an_entry_has_the_times_of_publication_and_last_change(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        changed, early, plain = (new_project(maker.id, now=JOINED + days * DAY) for days in (3, 2, 1))
        changed.updated_at = JOINED + 5 * DAY
        early.updated_at = JOINED
        # The project was a draft first.
        plain.created_at = JOINED
        for project in (changed, early, plain):
            added(uow, maker, project)

        times = [(entry.published_at, entry.changed_at) for entry in feed(uow).entries]

        assert times == [
            (JOINED + 3 * DAY, JOINED + 5 * DAY),
            (JOINED + 2 * DAY, JOINED + 2 * DAY),
            (JOINED + DAY, JOINED + DAY),
        ]

    def test_is_as_new_as_a_user_without_projects(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)

        assert (feed(uow).entries, feed(uow).changed_at) == ([], JOINED)

        uow.store.accounts[maker.account_id].user.change_location('Zürich', JOINED + DAY)
        assert feed(uow).changed_at == JOINED + DAY

    def test_is_as_new_as_the_last_recorded_change(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        project = added(uow, maker)
        added(uow, joined(uow, 'other'))
        assert feed(uow).changed_at == uow.store.changes[project.id].changed_at

        uow.store.projects[project.id].updated_at = NOW
        assert feed(uow).changed_at == NOW

    def test_is_not_found_for_an_unknown_user(self, uow: FakeUnitOfWork) -> None:
        with pytest.raises(FeedNotFound, match="^There is no feed, since the user 'maker' does not exist$"):
            feed(uow)
        with pytest.raises(FeedNotFound):
            feeds.sitemap_of_user(uow, 'maker', NOW)


class TestCover:

    def test_a_stored_image_has_its_type_and_size(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        image = new_image(maker.id)
        url = STORE.url(image.key)

        assert with_cover(uow, maker, image, url) == Cover(url=url, media_type='image/jpeg', size=12345)

    def test_a_variant_is_omitted_because_its_size_is_unknown(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        image = new_image(maker.id)

        assert with_cover(uow, maker, image, STORE.url(image.variant_key(320))) is None

    def test_an_image_pending_deletion_is_omitted(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        image = new_image(maker.id)
        image.deleted_at = NOW

        assert with_cover(uow, maker, image, STORE.url(image.key)) is None

    @pytest.mark.parametrize('cover', [None, 'https://a.test/x.jpg', STORE.url(new_image(7, 'b' * 64).key)])
    def test_foreign_urls_are_omitted(self, uow: FakeUnitOfWork, cover: str | None) -> None:
        maker = joined(uow)

        assert with_cover(uow, maker, new_image(maker.id), cover) is None


class TestSitemapOfUser:

    def test_contains_the_pages_of_the_user_and_the_projects(self, uow: FakeUnitOfWork) -> None:
        maker, other = joined(uow), joined(uow, 'other')
        older, newer = added(uow, maker, days=1), added(uow, maker, days=2)
        added(uow, other, days=9)
        added(uow, maker, new_project(maker.id, now=NOW + DAY))

        found = feeds.sitemap_of_user(uow, 'maker', NOW)

        assert found.users == [('maker', JOINED + 2 * DAY)]
        assert [page.project_id for page in found.pages] == [newer.id, older.id]
        assert found.changed_at == uow.store.changes[newer.id].changed_at

    def test_contains_the_page_of_a_user_without_projects(self, uow: FakeUnitOfWork) -> None:
        joined(uow)

        found = feeds.sitemap_of_user(uow, 'maker', NOW)

        assert (found.users, found.pages, found.changed_at) == ([('maker', None)], [], JOINED)

    def test_is_limited_including_the_users_page(
        self, uow: FakeUnitOfWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feeds, 'SITEMAP_LENGTH', 3)
        maker = joined(uow)
        for days in range(5):
            added(uow, maker, days=days)

        assert len(feeds.sitemap_of_user(uow, 'maker', NOW).pages) == 2


class TestSitemap:

    def test_contains_all_users_with_public_projects_and_their_latest_change(
        self, uow: FakeUnitOfWork
    ) -> None:
        maker, other = joined(uow), joined(uow, 'other')
        joined(uow, 'silent')
        projects = [added(uow, user, days=days) for days, user in ((1, maker), (2, other), (3, maker))]
        changed = uow.store.projects[projects[2].id]
        changed.updated_at = JOINED + 4 * DAY

        found = feeds.sitemap(uow, NOW)

        assert found.users == [('maker', JOINED + 4 * DAY), ('other', JOINED + 2 * DAY)]
        assert [page.project_id for page in found.pages] == [each.id for each in reversed(projects)]
        assert found.changed_at == uow.store.changes[projects[-1].id].changed_at

    def test_is_as_new_as_the_latest_change_of_a_page(self, uow: FakeUnitOfWork) -> None:
        project = added(uow, joined(uow))
        uow.store.projects[project.id].updated_at = NOW

        assert feeds.sitemap(uow, NOW).changed_at == NOW
        uow.store.changes.clear()
        assert feeds.sitemap(uow, NOW).changed_at == NOW

    def test_is_limited_including_the_pages_of_users(
        self, uow: FakeUnitOfWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feeds, 'SITEMAP_LENGTH', 4)
        maker, other = joined(uow), joined(uow, 'other')
        for days in range(5):
            added(uow, (maker, other)[days % 2], days=days)

        found = feeds.sitemap(uow, NOW)

        assert (len(found.users), len(found.pages)) == (2, 2)

    def test_is_not_found_without_public_projects(self, uow: FakeUnitOfWork) -> None:
        maker = joined(uow)
        added(uow, maker, new_project(maker.id, now=NOW + DAY))

        with pytest.raises(NothingPublished, match='^Nothing is published yet$'):
            feeds.sitemap(uow, NOW)
