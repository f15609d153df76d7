import pytest

from talelio_backend.app_account.business.domain.email_address import EmailAddress, canonical_email


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
def test_every_spelling_has_one_canonical_form(address: str, canonical: str) -> None:
    assert canonical_email(address) == canonical


@pytest.mark.parametrize(
    'address',
    [
        '', 'maker', '@example.com', 'maker@', 'a b@example.com', 'a@b@example.com',
        'maker@example.com\r\nBcc: other@example.com', 'maker\r\n@example.com', 'maker@example.com\0',
        'maker@' + 'x' * 300 + '.com', 'a' * 321, '\ud800@example.com', '\u212ai@example.com',
        '\uff4daker@example.com', 'maker@\uff45xample.com', 'ma\u017fter@example.com'
    ],
)
def test_an_invalid_address_has_no_canonical_form(address: str) -> None:
    assert canonical_email(address) is None


def test_canonicalization_is_idempotent() -> None:
    once = canonical_email('Straße@Bücher.example')

    assert once is not None
    assert canonical_email(once) == once


def test_the_rate_limit_subject_is_canonical_where_possible() -> None:
    assert EmailAddress(' Maker@EXAMPLE.com').rate_limit_subject == 'maker@example.com'
    assert EmailAddress('maker@example.com').rate_limit_subject == 'maker@example.com'
    assert EmailAddress('no address').rate_limit_subject == 'no address'
