import pytest

from talelio_backend.app_account.business.domain.errors import WeakPassword
from talelio_backend.app_account.business.domain.password_policy import MINIMUM_LENGTH, check_password
from talelio_backend.app_account.data.common_passwords import load_common_passwords

COMMON = load_common_passwords()


def check(password: str) -> None:
    check_password(password, common_passwords=COMMON, email='maker.mail@example.com', username='TheMaker')


@pytest.mark.parametrize('password', ['correct horse battery', 'ünïcödé™', '        1', 'x' * 1023 + 'y'])
def test_a_long_unusual_password_is_accepted(password: str) -> None:
    check(password)


@pytest.mark.parametrize(
    ('password', 'rule'),
    [
        ('', 'at least 8 characters'),
        ('7 chars', 'at least 8 characters'),
        ('x' * 1025, 'at most 1024 characters'),
        ('password', 'most used'),
        ('PassWord1', 'most used'),
        ('1234567890', 'most used'),
        ('maker.mail@example.com', 'must not be the email'),
        ('Maker.Mail', 'must not be the email'),
        ('themaker', 'must not be the email or the username'),
    ],
)
def test_a_weak_password_is_refused_by_its_rule_without_repeating_it(password: str, rule: str) -> None:
    with pytest.raises(WeakPassword, match=rule) as caught:
        check(password)
    # The message starts with the name of the field.
    assert not password or password not in caught.value.message.removeprefix("'password'").split()


@pytest.mark.parametrize(('password', 'message'), [
    ('PassWord1', "'password' is one of the most used passwords"),
    ('themaker', "'password' must not be the email or the username"),
])  # yapf: disable
def test_the_message_states_the_whole_rule(password: str, message: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        check(password)
    assert caught.value.message == message


def test_the_list_has_at_least_three_thousand_passwords() -> None:
    assert len(COMMON) >= 3000
    assert {'password', '12345678', '123456789', '1234567890', 'baseball', 'football'} <= COMMON


def test_the_list_is_lower_case_and_long_enough() -> None:
    assert all(word == word.lower() and len(word) >= MINIMUM_LENGTH for word in COMMON)
