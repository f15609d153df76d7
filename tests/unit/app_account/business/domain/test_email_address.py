import pytest

from talelio_backend.app_account.business.domain.email_address import canonical_email, rate_limit_subject


@pytest.mark.parametrize(
    ('address', 'canonical'),
    [
        ('maker@example.com', 'maker@example.com'),
        (' Maker@EXAMPLE.com\n', 'maker@example.com'),
        ('maker+tag@example.com', 'maker+tag@example.com'),
        ('x@bücher.example', 'x@xn--bcher-kva.example'),
        ('x@XN--BCHER-KVA.example', 'x@xn--bcher-kva.example'),
        ('maker@intranet', 'maker@intranet'),
        ('maker@site.test', 'maker@site.test'),
    ],
)
def test_every_spelling_of_an_address_has_one_form(address: str, canonical: str) -> None:
    assert canonical_email(address) == canonical


@pytest.mark.parametrize(
    'address',
    [
        '', 'maker', '@example.com', 'maker@', 'a b@example.com', 'a@b@example.com',
        'maker@example.com\r\nBcc: other@example.com', 'maker\r\n@example.com', 'maker@example.com\0',
        'maker@' + 'x' * 300 + '.com', 'a' * 321, '\ud800@example.com'
    ],
)
def test_what_is_no_address_has_none(address: str) -> None:
    assert canonical_email(address) is None


def test_the_form_of_a_form_is_itself() -> None:
    once = canonical_email('Straße@Bücher.example')

    assert once is not None
    assert canonical_email(once) == once


def test_tries_are_counted_by_who_is_meant_or_else_by_what_was_sent() -> None:
    assert rate_limit_subject(' Maker@EXAMPLE.com'
                              ) == rate_limit_subject('maker@example.com') == 'maker@example.com'
    assert rate_limit_subject('no address') == 'no address'
