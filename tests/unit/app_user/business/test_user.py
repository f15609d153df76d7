from datetime import UTC, datetime

import pytest

from talelio_backend.app_user.business.errors import InvalidUsername
from talelio_backend.app_user.business.user import User

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize('username', ['m', 'maker', 'Maker-2', 'a.b_c-d', '007', 'x' * 64])
def test_a_plain_name_is_accepted(username: str) -> None:
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
def test_another_name_is_refused_with_the_rule(username: str, rule: str) -> None:
    with pytest.raises(InvalidUsername, match=rule):
        User.create(username, NOW)


def test_a_new_user_has_the_contracts_defaults() -> None:
    user = User.create('maker', NOW)

    assert (user.location, user.avatar_url, user.updated_at) == ('', 'default.jpg', None)


def test_renaming_to_the_same_name_is_no_change() -> None:
    user = User.create('maker', NOW)

    user.rename('maker', NOW)

    assert user.updated_at is None
