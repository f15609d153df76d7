"""What the ports of the repositories promise, shown on the real ones and on the fakes alike."""
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.app_project.data.read_model import list_query
from talelio_backend.app_user.business.errors import AccountGone, UsernameTaken
from talelio_backend.shared.business.errors import BusinessError, Conflict, Invalid, NotFound
from talelio_backend.shared.mail.business import outbox
from talelio_backend.shared.mail.business.outbox import LEASE, MailStatus, OutboxMail
from tests.support.backings import Backing, committed_account
from tests.support.project_documents import document_of
from tests.support.samples import NOW, new_account, new_mail, new_project
from tests.support.waiting import repeat

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
ALL = Selection(visibility=VisibilityFilter.ALL, now=NOW)


def committed_projects(backing: Backing, account: Account, number: int) -> list[int]:
    """Return their ids, newest first."""
    with backing.unit_of_work() as uow:
        projects = [new_project(account.user.id, title=f'Title {index}') for index in range(number)]
        for project in projects:
            uow.projects.add(project)
        uow.commit()
    return [project.id for project in reversed(projects)]


def committed_mail(backing: Backing, mail: OutboxMail) -> OutboxMail:
    with backing.unit_of_work() as uow:
        uow.outbox.add(mail)
        uow.commit()
    return mail


def stored_account(backing: Backing, id_: int) -> Account | None:
    with backing.unit_of_work() as uow:
        return uow.accounts.get(id_)


def stored_mail(backing: Backing, id_: int) -> OutboxMail:
    with backing.unit_of_work() as uow:
        mail = uow.outbox.get_for_update(id_)
    assert mail is not None
    return mail


def place(before: int | None) -> Cursor | None:
    return None if before is None else Cursor(value=before, id=before)


def page_ids(backing: Backing, account: Account, limit: int, before: int | None = None) -> list[int]:
    with backing.read_session() as read_session:
        page = read_session.project_views.list_of_user(
            account.user.id, ListQuery(limit=limit, cursor=place(before)), ALL
        )
    return [project.id for project in page.items]


def walk(backing: Backing, author: Account, limit: int) -> list[list[int]]:
    """Return the ids on each page, from the first page to the last."""
    pages: list[list[int]] = []
    before: Cursor | None = None

    def turn() -> bool:
        nonlocal before
        with backing.read_session() as read_session:
            page = read_session.project_views.list_of_user(
                author.user.id, ListQuery(limit=limit, cursor=before), ALL
            )
        pages.append([project.id for project in page.items])
        before = page.next
        return before is not None

    repeat(turn, at_most=20)
    return pages


# What a unit of work promises


def test_what_is_committed_is_there_for_the_next(backing: Backing) -> None:
    account = new_account()
    with backing.unit_of_work() as uow:
        uow.accounts.add(account)
        uow.projects.add(new_project(account.user.id))
        uow.outbox.add(new_mail())
        uow.commit()

    with backing.unit_of_work() as uow, backing.read_session() as read_session:
        assert uow.accounts.get_by_email('maker@example.com') is not None
        assert uow.users.get_by_username('maker') is not None
        assert len(
            read_session.project_views.list_of_user(account.user.id, ListQuery(limit=5), ALL).items
        ) == 1
        assert len(uow.outbox.list_unfinished()) == 1


def test_leaving_without_commit_rolls_everything_back(backing: Backing) -> None:
    author = committed_account(backing, 'author')

    with backing.unit_of_work() as uow:
        uow.accounts.add(new_account())
        uow.projects.add(new_project(author.user.id))
        uow.outbox.add(new_mail())

    with backing.unit_of_work() as uow, backing.read_session() as read_session:
        assert uow.accounts.get_by_email('maker@example.com') is None
        assert uow.users.get_by_username('maker') is None
        assert not read_session.project_views.list_of_user(author.user.id, ListQuery(limit=5), ALL).items
        assert not uow.outbox.list_unfinished()


@pytest.mark.parametrize('error', [ValueError('a bug'), Invalid('a refusal'), KeyboardInterrupt()])
def test_an_error_rolls_everything_back_and_passes_unchanged(backing: Backing, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, backing.unit_of_work() as uow:
        uow.accounts.add(new_account())
        raise error

    assert raised.value is error
    with backing.unit_of_work() as uow:
        assert uow.accounts.get_by_email('maker@example.com') is None


def test_a_rolled_back_account_leaves_no_mail(backing: Backing) -> None:
    committed_account(backing)

    with pytest.raises(EmailTaken), backing.unit_of_work() as uow:
        uow.outbox.add(new_mail())
        uow.accounts.add(new_account('other', email='maker@example.com'))

    with backing.unit_of_work() as uow:
        assert uow.outbox.next_due(NOW) is None


def test_a_change_of_what_was_read_stays_only_if_committed(backing: Backing) -> None:
    account = committed_account(backing)

    with backing.unit_of_work() as uow:
        read = uow.accounts.get(account.id)
        assert read is not None
        read.password_hash = 'rolled back'
    rolled_back = stored_account(backing, account.id)
    with backing.unit_of_work() as uow:
        read = uow.accounts.get(account.id)
        assert read is not None
        read.password_hash = 'committed'
        uow.commit()
    changed = stored_account(backing, account.id)

    assert rolled_back is not None and rolled_back.password_hash == 'hash'
    assert changed is not None and changed.password_hash == 'committed'


def test_what_comes_after_the_commit_is_rolled_back(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        account = new_account()
        uow.accounts.add(account)
        uow.commit()
        account.password_hash = 'too late'
        uow.accounts.add(new_account('late'))

    with backing.unit_of_work() as uow:
        stored = uow.accounts.get(account.id)
        assert stored is not None and stored.password_hash == 'hash'
        assert uow.accounts.get_by_email('late@example.com') is None


def test_each_of_two_commits_counts(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        account = new_account()
        uow.accounts.add(account)
        uow.commit()
        account.password_hash = 'second'
        uow.commit()

    stored = stored_account(backing, account.id)
    assert stored is not None and stored.password_hash == 'second'


def test_what_was_read_stays_readable_afterwards(backing: Backing) -> None:
    account = committed_account(backing)
    mail = committed_mail(backing, new_mail())

    with backing.unit_of_work() as uow:
        read = uow.accounts.get(account.id)
        uow.commit()
    with backing.unit_of_work() as uow:
        rolled_back = uow.outbox.get_for_update(mail.id)

    assert read is not None and rolled_back is not None
    assert (read.id, read.email, read.user.username) == (account.id, account.email, 'maker')
    assert (rolled_back.id, rolled_back.payload) == (mail.id, {'number': 1})


def test_what_left_its_unit_of_work_is_no_longer_tied_to_it(backing: Backing) -> None:
    account = committed_account(backing)

    account.password_hash = account.user.username = 'changed'
    with backing.unit_of_work() as uow:
        uow.commit()

    stored = stored_account(backing, account.id)
    assert stored is not None
    assert (stored.password_hash, stored.user.username) == ('hash', 'maker')


def test_nobody_sees_what_is_not_committed(backing: Backing) -> None:
    with backing.unit_of_work() as writing, backing.unit_of_work() as read_session:
        account = new_account()
        writing.accounts.add(account)
        writing.outbox.add(new_mail())

        assert writing.accounts.get_by_email(account.email) is account
        assert read_session.accounts.get_by_email(account.email) is None
        assert read_session.outbox.next_due(NOW) is None
        writing.commit()

    assert stored_account(backing, account.id) is not None


def test_two_at_once_take_nothing_from_each_other(backing: Backing) -> None:
    changed = committed_account(backing, 'changed')
    with backing.unit_of_work() as first, backing.unit_of_work() as second:
        account = first.accounts.get(changed.id)
        assert account is not None
        account.password_hash = 'new'
        seen = second.accounts.get(changed.id)
        first.accounts.add(new_account('one'))
        second.accounts.add(new_account('two'))
        first.commit()
        second.commit()

    with backing.unit_of_work() as uow:
        one, two = uow.accounts.get_by_email('one@example.com'), uow.accounts.get_by_email('two@example.com')
        kept = uow.accounts.get(changed.id)
    assert seen is not None and seen.password_hash == 'hash'
    assert one is not None and two is not None and one.id != two.id
    assert kept is not None and kept.password_hash == 'new'


def test_one_can_be_used_again_after_an_error(backing: Backing) -> None:
    committed_account(backing)
    uow = backing.unit_of_work()

    with pytest.raises(EmailTaken), uow:
        uow.accounts.add(new_account('other', email='maker@example.com'))
    with uow:
        uow.accounts.add(new_account('other'))
        uow.commit()

    with backing.unit_of_work() as read_session:
        assert read_session.users.get_by_username('other') is not None


def test_reading_twice_gives_the_same_object_within_one_and_another_in_the_next(backing: Backing) -> None:
    account = committed_account(backing)

    with backing.unit_of_work() as uow:
        first, again = uow.accounts.get(account.id), uow.accounts.get_by_email(account.email)
    next_one = stored_account(backing, account.id)

    assert first is again
    assert first is not next_one is not account


# Accounts


@pytest.mark.parametrize('microsecond', [0, 1, 120_000, 999_999])
def test_an_account_comes_back_as_it_was_added(backing: Backing, microsecond: int) -> None:
    now = NOW.replace(microsecond=microsecond)
    account = new_account('Maker-1', email='maker@xn--bcher-kva.example', password_hash='$2b$04$x', now=now)
    account.link_serial = 7
    account.link_requested_at = now + SECOND
    account.claim('$2b$04$y', 'Owner.1', now + MICROSECOND)
    account.user.location = 'Zürich 🏔'
    account.user.avatar_name = 'a' * 64

    with backing.unit_of_work() as uow:
        uow.accounts.add(account)
        uow.commit()

    stored = stored_account(backing, account.id)
    assert stored is not None
    assert stored.created_at == now and stored.created_at.utcoffset() == timedelta(0)
    assert stored.updated_at == now + MICROSECOND
    assert stored.email == 'maker@xn--bcher-kva.example'
    assert stored.password_hash == '$2b$04$y'
    assert stored.verified is True
    assert (stored.link_serial, stored.link_requested_at) == (7, now + SECOND)
    user = stored.user
    assert (user.id, user.account_id) == (account.user.id, account.id)
    assert (user.created_at, user.updated_at) == (now, now + MICROSECOND)
    assert (user.username, user.location) == ('Owner.1', 'Zürich 🏔')
    assert user.avatar_name == 'a' * 64


def test_a_new_account_was_never_updated_nor_verified(backing: Backing) -> None:
    stored = stored_account(backing, committed_account(backing).id)

    assert stored is not None
    assert stored.updated_at is stored.user.updated_at is None
    assert stored.verified is False
    assert (stored.user.location, stored.user.avatar_name) == ('', None)


def test_added_accounts_have_ids_before_the_commit(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        one, two = new_account('one'), new_account('two')
        uow.accounts.add(one)
        uow.accounts.add(two)

        assert one.id != two.id and one.user.id != two.user.id
        assert (one.user.account_id, two.user.account_id) == (one.id, two.id)


def test_an_address_is_taken_once(backing: Backing) -> None:
    committed_account(backing)

    with pytest.raises(EmailTaken) as raised, backing.unit_of_work() as uow:
        uow.accounts.add(new_account('other', email='maker@example.com'))

    assert raised.value.message == "Account with the email 'maker@example.com' already exists"


def test_an_address_is_taken_within_one_unit_of_work_too(backing: Backing) -> None:
    with pytest.raises(EmailTaken), backing.unit_of_work() as uow:
        uow.accounts.add(new_account('one', email='maker@example.com'))
        uow.accounts.add(new_account('two', email='maker@example.com'))


@pytest.mark.parametrize('username', ['maker', 'Maker', 'MAKER'])
def test_a_username_is_taken_in_any_letter_case(backing: Backing, username: str) -> None:
    committed_account(backing, 'mAkEr', email='first@example.com')

    with pytest.raises(UsernameTaken) as raised, backing.unit_of_work() as uow:
        uow.accounts.add(new_account(username, email='second@example.com'))

    assert raised.value.message == f"Account with the username '{username}' already exists"


@pytest.mark.parametrize('order', [('name', 'address'), ('address', 'name')])
def test_of_two_clashes_the_address_is_named(backing: Backing, order: tuple[str, str]) -> None:
    for taken in order:
        if taken == 'name':
            committed_account(backing, 'maker', email='other@example.com')
        else:
            committed_account(backing, 'other', email='maker@example.com')

    with pytest.raises(EmailTaken), backing.unit_of_work() as uow:
        uow.accounts.add(new_account('maker', email='maker@example.com'))


def test_a_changed_username_must_be_free(backing: Backing) -> None:
    committed_account(backing, 'taken')
    account = committed_account(backing)

    with pytest.raises(UsernameTaken) as raised, backing.unit_of_work() as uow:
        renamed = uow.accounts.get_for_update(account.id)
        assert renamed is not None
        renamed.user.rename('Taken', NOW)
        uow.accounts.save(renamed)

    assert "'Taken'" in raised.value.message
    stored = stored_account(backing, account.id)
    assert stored is not None and stored.user.username == 'maker'


@pytest.mark.parametrize('username', ['free', 'MAKER'])
def test_a_username_can_change_to_a_free_one_or_its_own_letter_case(backing: Backing, username: str) -> None:
    account = committed_account(backing)

    with backing.unit_of_work() as uow:
        renamed = uow.accounts.get_for_update(account.id)
        assert renamed is not None
        renamed.user.rename(username, NOW + SECOND)
        uow.accounts.save(renamed)
        uow.commit()

    stored = stored_account(backing, account.id)
    assert stored is not None
    assert (stored.user.username, stored.user.updated_at) == (username, NOW + SECOND)


def test_a_renamed_users_old_name_is_free(backing: Backing) -> None:
    account = committed_account(backing)

    with backing.unit_of_work() as uow:
        renamed = uow.accounts.get(account.id)
        assert renamed is not None
        renamed.user.rename('owner', NOW)
        uow.accounts.save(renamed)
        uow.accounts.add(new_account('maker', email='second@example.com'))
        uow.commit()

    with backing.unit_of_work() as uow:
        maker, owner = uow.users.get_by_username('maker'), uow.users.get_by_username('owner')
    assert maker is not None and owner is not None
    assert owner.account_id == account.id != maker.account_id


@pytest.mark.parametrize('id_', [0, -1, 99, 2**31, 2**63, 10**30])
def test_an_id_that_nothing_has_finds_nothing(backing: Backing, id_: int) -> None:
    committed_account(backing)

    with backing.unit_of_work() as uow, backing.read_session() as read_session:
        assert uow.accounts.get(id_) is None
        assert uow.accounts.get_for_update(id_) is None
        assert uow.users.get_by_account(id_) is None
        assert uow.outbox.get_for_update(id_) is None
        assert not read_session.project_views.list_of_user(id_, ListQuery(limit=5), ALL).items


def test_an_address_is_looked_up_exactly(backing: Backing) -> None:
    account = committed_account(backing, email='maker_1@example.com')

    with backing.unit_of_work() as uow:
        found = uow.accounts.get_by_email('maker_1@example.com')
        others = [
            uow.accounts.get_by_email(email)
            for email in ('makerx1@example.com', 'maker%', 'MAKER_1@example.com', "' OR ''='", '')
        ]

    assert found is not None and found.id == account.id
    assert others == [None] * 5


def test_a_locked_read_shows_what_was_committed_since_the_first(backing: Backing) -> None:
    account = committed_account(backing)

    with backing.unit_of_work() as read_session:
        assert read_session.accounts.get(account.id) is not None
    with backing.unit_of_work() as writing:
        changed = writing.accounts.get_for_update(account.id)
        assert changed is not None
        changed.password_hash = 'changed'
        writing.commit()
    with read_session:
        seen = read_session.accounts.get_for_update(account.id)
        assert seen is not None and seen.password_hash == 'changed'


# Users


@pytest.mark.parametrize('asked', ['Maker_1', 'maker_1', 'MAKER_1'])
def test_a_user_is_found_in_any_letter_case_and_keeps_its_own(backing: Backing, asked: str) -> None:
    account = committed_account(backing, 'Maker_1')
    committed_account(backing, 'maker-1', email='other@example.com')

    with backing.unit_of_work() as uow:
        user = uow.users.get_by_username(asked)

    assert user is not None
    assert (user.id, user.username) == (account.user.id, 'Maker_1')


@pytest.mark.parametrize('asked', ['makerx1', 'maker%', 'maker_', 'maker_1 ', '', "x' OR 'x'='x"])
def test_a_username_is_no_pattern(backing: Backing, asked: str) -> None:
    committed_account(backing, 'maker_1')

    with backing.unit_of_work() as uow:
        assert uow.users.get_by_username(asked) is None


def test_a_user_is_found_by_its_account(backing: Backing) -> None:
    accounts = [committed_account(backing, name) for name in ('one', 'two', 'three')]

    with backing.unit_of_work() as uow:
        users = [uow.users.get_by_account(account.id) for account in accounts]

    assert [user.username for user in users if user is not None] == ['one', 'two', 'three']


def test_a_user_is_found_in_the_unit_of_work_that_adds_it(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        account = new_account()
        uow.accounts.add(account)

        assert uow.users.get_by_username('MAKER') is account.user
        assert uow.users.get_by_account(account.id) is account.user


# Projects


@pytest.mark.parametrize(
    'body', ['', ' \n', 'a\r\nb\rc\n', "# Ü 🚀\n\n\t'%s' \\ :x %(y)s $1", '\u202e\ufeff\x7f']
)
def test_a_project_comes_back_as_it_was_added(backing: Backing, body: str) -> None:
    author = committed_account(backing)
    project = new_project(author.user.id, title='Ein „Titel“ ', body=body)
    project.updated_at = NOW + MICROSECOND

    with backing.unit_of_work() as uow:
        uow.projects.add(project)
        uow.commit()

    with backing.read_session() as read_session:
        [stored] = read_session.project_views.list_of_user(author.user.id, ListQuery(limit=5), ALL).items
    assert stored is not project
    assert (stored.id, stored.user_id) == (project.id, author.user.id)
    assert stored.document == document_of(project)
    assert (stored.created_at, stored.updated_at) == (NOW, NOW + MICROSECOND)
    assert stored.created_at.utcoffset() == timedelta(0)


def test_a_project_needs_an_author(backing: Backing) -> None:
    with pytest.raises(AccountGone), backing.unit_of_work() as uow:
        uow.projects.add(new_project(99))


def test_the_author_of_a_project_can_be_new_too(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        author = new_account()
        uow.accounts.add(author)
        uow.projects.add(new_project(author.user.id))
        uow.commit()

    assert len(page_ids(backing, author, limit=5)) == 1


@pytest.mark.parametrize(('number', 'limit'), [(0, 1), (1, 1), (3, 2), (4, 2), (4, 4), (5, 4), (4, 1000)])
def test_walking_the_pages_shows_each_project_once_newest_first(
    backing: Backing, number: int, limit: int
) -> None:
    author, other = committed_account(backing), committed_account(backing, 'other')
    ids = committed_projects(backing, author, number)
    committed_projects(backing, other, 2)

    pages = walk(backing, author, limit)

    assert [id_ for page in pages for id_ in page] == ids == sorted(ids, reverse=True)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1] or not number


def test_a_page_begins_where_it_is_told(backing: Backing) -> None:
    author, other = committed_account(backing), committed_account(backing, 'other')
    first, = committed_projects(backing, author, 1)
    strangers, = committed_projects(backing, other, 1)
    third, second = committed_projects(backing, author, 2)

    assert page_ids(backing, author, 5) == [third, second, first]
    assert page_ids(backing, author, 5, before=10**30) == [third, second, first]
    assert page_ids(backing, author, 5, before=third) == [second, first]
    assert page_ids(backing, author, 1, before=third) == [second]
    assert page_ids(backing, author, 5, before=strangers) == [first]
    assert page_ids(backing, author, 5, before=first) == []
    assert page_ids(backing, author, 5, before=-1) == []


def test_what_is_published_while_somebody_walks_moves_nothing(backing: Backing) -> None:
    author = committed_account(backing)
    ids = committed_projects(backing, author, 4)

    with backing.read_session() as read_session:
        page = read_session.project_views.list_of_user(author.user.id, ListQuery(limit=2), ALL)
    committed_projects(backing, author, 3)

    assert page.next is not None and page.next.id == ids[1]
    assert page_ids(backing, author, 2, before=ids[1]) == ids[2:]


def test_pages_of_large_projects_are_short_and_still_show_all(
    real_backing: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_query, 'PAGE_SIZE', 64 * 1024)
    # In memory it is only the real one's to bound.
    author = committed_account(real_backing)
    with real_backing.unit_of_work() as uow:
        for _ in range(3):
            # With its HTML, each takes a little more than half a page.
            uow.projects.add(new_project(author.user.id, body='a' * 16 * 1024))
        uow.commit()

    pages = walk(real_backing, author, limit=1000)

    assert [len(page) for page in pages] == [2, 1]
    assert len({id_ for page in pages for id_ in page}) == 3


# What is deleted


def test_a_deleted_account_is_found_nowhere(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    committed_projects(backing, account, 2)
    kept = committed_projects(backing, other, 1)

    backing.delete_account(account.id)

    with backing.unit_of_work() as uow:
        assert uow.accounts.get(account.id) is None
        assert uow.accounts.get_for_update(account.id) is None
        assert uow.accounts.get_by_email(account.email) is None
        assert uow.users.get_by_username('maker') is None
        assert uow.users.get_by_account(account.id) is None
        assert uow.accounts.get(other.id) is not None
    assert page_ids(backing, account, 5) == []
    assert page_ids(backing, other, 5) == kept


def test_a_deleted_author_publishes_nothing(backing: Backing) -> None:
    account = committed_account(backing)
    backing.delete_account(account.id)

    with pytest.raises(AccountGone), backing.unit_of_work() as uow:
        uow.projects.add(new_project(account.user.id))


def test_a_deleted_accounts_address_and_name_are_free_and_its_ids_are_not(backing: Backing) -> None:
    account = committed_account(backing)
    backing.delete_account(account.id)

    again = committed_account(backing)

    assert again.id != account.id
    assert again.user.id != account.user.id


# The outbox


@pytest.mark.parametrize('status', MailStatus)
def test_a_mail_comes_back_as_it_was_queued(backing: Backing, status: MailStatus) -> None:
    mail = OutboxMail(
        kind='verification',
        payload={
            'account_id': 2**31 - 1,
            'serial': 0
        },
        status=status,
        created_at=NOW,
        due_at=NOW + MICROSECOND,
        tries=3,
        trying_since=NOW + SECOND,
        finished_at=NOW.replace(microsecond=0),
        last_error="the mail server refused the recipient ([550]) 'ä' %s",
    )
    message_id = mail.message_id

    stored = stored_mail(backing, committed_mail(backing, mail).id)

    assert stored is not mail
    assert (type(stored.message_id), stored.message_id) == (UUID, message_id)
    assert stored.status is status
    assert (stored.kind, stored.payload) == ('verification', {'account_id': 2**31 - 1, 'serial': 0})
    assert (stored.created_at, stored.due_at, stored.trying_since) == (NOW, NOW + MICROSECOND, NOW + SECOND)
    assert stored.created_at.utcoffset() == timedelta(0)
    assert (stored.tries, stored.finished_at) == (3, NOW.replace(microsecond=0))
    assert stored.last_error == "the mail server refused the recipient ([550]) 'ä' %s"


def test_a_new_mail_is_pending_untried_and_unlike_any_other(backing: Backing) -> None:
    one = stored_mail(backing, committed_mail(backing, new_mail(1)).id)
    two = stored_mail(backing, committed_mail(backing, new_mail(2)).id)

    assert (one.status, one.tries, one.finished_at, one.last_error) == (MailStatus.PENDING, 0, None, None)
    assert one.id != two.id and one.message_id != two.message_id


def test_an_empty_outbox_has_nothing_due(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        assert uow.outbox.next_due(NOW) is None
        assert not uow.outbox.list_unfinished()


@pytest.mark.parametrize(('due_in', 'due'), [(-SECOND, True), (timedelta(0), True), (MICROSECOND, False)])
def test_a_mail_is_due_from_its_time_on(backing: Backing, due_in: timedelta, due: bool) -> None:
    committed_mail(backing, new_mail(due_at=NOW + due_in))

    with backing.unit_of_work() as uow:
        assert (uow.outbox.next_due(NOW) is not None) is due


def test_the_mail_that_is_due_the_longest_comes_first(backing: Backing) -> None:
    dues = [NOW - 2 * SECOND, NOW - 4 * SECOND, NOW + SECOND, NOW - 3 * SECOND, NOW - MICROSECOND]
    for number, due_at in enumerate(dues):
        committed_mail(backing, new_mail(number, due_at=due_at))

    order = []
    with backing.unit_of_work() as uow:
        for _ in dues:
            mail = uow.outbox.next_due(NOW)
            if mail is not None:
                order.append(mail.payload['number'])
                mail.finish(MailStatus.SENT, NOW)

    assert order == [1, 3, 0, 4]


@pytest.mark.parametrize('status', [status for status in MailStatus if status is not MailStatus.PENDING])
def test_only_pending_mail_is_due(backing: Backing, status: MailStatus) -> None:
    mail = new_mail(due_at=NOW - SECOND)
    mail.finish(status, NOW)
    committed_mail(backing, mail)

    with backing.unit_of_work() as uow:
        assert uow.outbox.next_due(NOW) is None


def test_a_leased_mail_is_due_again_when_the_lease_ends(backing: Backing) -> None:
    mail = committed_mail(backing, new_mail())

    with backing.unit_of_work() as uow:
        leased = uow.outbox.next_due(NOW)
        assert leased is not None
        leased.lease(NOW)
        uow.commit()

    with backing.unit_of_work() as uow:
        assert uow.outbox.next_due(NOW + LEASE - MICROSECOND) is None
    with backing.unit_of_work() as uow:
        again = uow.outbox.next_due(NOW + LEASE)
    assert again is not None
    assert (again.id, again.message_id, again.tries) == (mail.id, mail.message_id, 1)


def test_a_lease_that_was_rolled_back_is_none(backing: Backing) -> None:
    committed_mail(backing, new_mail())

    with backing.unit_of_work() as uow:
        leased = uow.outbox.next_due(NOW)
        assert leased is not None
        leased.lease(NOW)

    with backing.unit_of_work() as uow:
        again = uow.outbox.next_due(NOW)
    assert again is not None and again.tries == 0


def test_only_what_did_not_leave_is_listed_oldest_first(backing: Backing) -> None:
    ids: dict[MailStatus, int] = {}
    for status in (MailStatus.FAILED, MailStatus.SENT, MailStatus.PENDING, MailStatus.OBSOLETE):
        # The newer, the longer due: the order must not be that of the due times.
        mail = new_mail(due_at=NOW - len(ids) * SECOND)
        mail.status = status
        ids[status] = committed_mail(backing, mail).id
    later = committed_mail(backing, new_mail(due_at=NOW + SECOND)).id

    with backing.unit_of_work() as uow:
        listed = [mail.id for mail in uow.outbox.list_unfinished()]

    assert listed == [ids[MailStatus.FAILED], ids[MailStatus.PENDING], later]


def test_a_failed_mail_is_listed_replayed_and_due(backing: Backing) -> None:
    mail = new_mail()
    mail.fail('no such mailbox', NOW, permanent=True)
    committed_mail(backing, mail)
    later = NOW + timedelta(days=7)

    with backing.unit_of_work() as uow:
        [listed] = uow.outbox.list_unfinished()
    outbox.replay(backing.unit_of_work(), mail.id, later)

    assert (listed.status, listed.last_error) == (MailStatus.FAILED, 'no such mailbox')
    with backing.unit_of_work() as uow:
        due = uow.outbox.next_due(later)
    assert due is not None
    assert (due.id, due.message_id) == (mail.id, mail.message_id)
    assert (due.status, due.finished_at, due.trying_since) == (MailStatus.PENDING, None, later)


def replay_missing(backing: Backing) -> None:
    outbox.replay(backing.unit_of_work(), 99, NOW)


def replay_pending(backing: Backing) -> None:
    outbox.replay(backing.unit_of_work(), committed_mail(backing, new_mail()).id, NOW + SECOND)


@pytest.mark.parametrize(('replay', 'error'), [(replay_missing, NotFound), (replay_pending, Conflict)])
def test_what_did_not_fail_is_not_replayed(
    backing: Backing, replay: Callable[[Backing], None], error: type[BusinessError]
) -> None:
    with pytest.raises(error):
        replay(backing)

    with backing.unit_of_work() as uow:
        assert [mail.due_at for mail in uow.outbox.list_unfinished()] in ([], [NOW])


def test_times_of_another_zone_are_the_same_instants(real_backing: Backing) -> None:
    # The service itself has one clock, in UTC; the database must not depend on that.
    local = datetime.fromisoformat('2026-03-01T14:30:59.123456+02:00')
    stored = stored_mail(real_backing, committed_mail(real_backing, new_mail(due_at=local)).id)

    assert stored.due_at == local
    assert stored.due_at.tzinfo == UTC
