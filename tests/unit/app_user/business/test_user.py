from datetime import UTC, datetime

import pytest

from talelio_backend.app_user.business.errors import InvalidUsername
from talelio_backend.app_user.business.user import User, is_well_formed_username
from talelio_backend.shared.business.errors import Fault, Invalid, InvalidValue

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


@pytest.mark.parametrize('username', ['m', 'maker', 'Maker-2', 'a.b_c-d', '007', 'x' * 64])
def test_a_valid_username_is_accepted(username: str) -> None:
    assert User.create(username, NOW).username == username


@pytest.mark.parametrize(
    ('username', 'rule'),
    [
        ('', 'must have 1 to 64 characters'),
        ('x' * 65, 'must have 1 to 64 characters'),
        ('a/b', 'letters a to z'),
        ('..', 'letters a to z'),
        ('a..b', 'letters a to z'),
        ('.a', 'letters a to z'),
        ('a.', 'letters a to z'),
        ('-a', 'letters a to z'),
        ('a b', 'letters a to z'),
        (' a', 'letters a to z'),
        ('a\n', 'letters a to z'),
        ('a\t', 'letters a to z'),
        ('mаker', 'letters a to z'),  # a Cyrillic а
        ('me', "reserved word 'me'"),
        ('Admin', "reserved word 'Admin'"),
    ],
)
def test_an_invalid_username_is_refused_by_its_rule(username: str, rule: str) -> None:
    with pytest.raises(InvalidUsername, match=rule):
        User.create(username, NOW)


def test_a_new_user_has_the_contracts_defaults() -> None:
    user = User.create('maker', NOW)

    assert (user.location, user.avatar_name, user.updated_at) == ('', None, None)


def test_an_error_states_the_rule_and_the_field() -> None:
    with pytest.raises(InvalidUsername) as caught:
        User.create('a/b', NOW)
    assert caught.value.message == (
        "'username' may hold the letters a to z and A to Z and digits, "
        "and single '.', '_' or '-' between them"
    )
    for location, reason in (
        ('x' * 101, 'must have at most 100 characters'),
        ('a\nb', 'must be one line of text, without control characters'),
    ):
        with pytest.raises(InvalidValue) as refused:
            User.create('maker', NOW).change_location(location, LATER)
        assert refused.value.faults == (Fault(('location', ), reason), )


def test_a_user_is_renamed() -> None:
    user = User.create('maker', NOW)

    user.rename('builder', LATER)
    assert (user.username, user.updated_at) == ('builder', LATER)

    with pytest.raises(InvalidUsername, match="reserved word 'admin'"):
        user.rename('admin', LATER)
    assert user.username == 'builder'


@pytest.mark.parametrize(('text', 'could_be'), [('x' * 64, True), ('x' * 65, False), ('a/b', False),
                                                ('', False)])
def test_well_formed_usernames_are_recognized(text: str, could_be: bool) -> None:
    assert is_well_formed_username(text) is could_be


def test_renaming_to_the_same_name_is_no_change() -> None:
    user = User.create('maker', NOW)

    user.rename('maker', NOW)

    assert user.updated_at is None


@pytest.mark.parametrize('location', ['Zürich, Switzerland', '東京', 'x' * 100, ''])
def test_a_user_changes_location(location: str) -> None:
    user = User.create('maker', NOW)
    user.change_location('Nowhere', NOW)

    user.change_location(location, LATER)

    assert (user.location, user.updated_at) == (location, LATER)


def test_the_same_location_is_no_change() -> None:
    user = User.create('maker', NOW)

    user.change_location('', LATER)

    assert user.updated_at is None


@pytest.mark.parametrize(
    ('location', 'rule'),
    [
        ('x' * 101, 'at most 100 characters'),
        ('a\nb', 'one line'),
        ('a\x1b[31mb', 'one line'),
        ('a\u202eb', 'one line'),
    ],
)
def test_an_invalid_location_is_refused(location: str, rule: str) -> None:
    user = User.create('maker', NOW)

    with pytest.raises(Invalid, match=rule):
        user.change_location(location, LATER)

    assert (user.location, user.updated_at) == ('', None)


def test_an_avatar_is_set_and_reset() -> None:
    user = User.create('maker', NOW)

    user.set_avatar('a' * 64, NOW)
    assert (user.avatar_name, user.updated_at) == ('a' * 64, NOW)

    user.set_avatar(None, LATER)
    assert (user.avatar_name, user.updated_at) == (None, LATER)


def test_the_same_avatar_again_is_no_change() -> None:
    user = User.create('maker', NOW)
    user.set_avatar(None, LATER)
    assert user.updated_at is None

    user.set_avatar('a' * 64, NOW)
    user.set_avatar('a' * 64, LATER)
    assert user.updated_at == NOW
