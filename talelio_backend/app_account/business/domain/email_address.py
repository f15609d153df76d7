from email_validator import EmailNotValidError, validate_email

from talelio_backend.shared.business.errors import Invalid

# 64 before the @ and 255 after it (RFC 5321, section 4.5.3.1).
EMAIL_LENGTH = 320


def canonical_email(address: str) -> str | None:
    """Return the one form in which an address is kept and compared, or None when it is not an address.

    Letter case and surrounding space do not count, and an international domain takes its ASCII form
    (RFC 5891), which is also what mail is sent to.
    """
    if len(address) > EMAIL_LENGTH:
        return None
    try:
        parts = validate_email(
            address.strip(),
            # Whether mail gets there is shown by the verification, not asked of a name server.
            check_deliverability=False,
            # An own network may have names without a dot, or under .test.
            globally_deliverable=False,
            test_environment=True,
        )
    except EmailNotValidError:
        return None
    return f'{parts.local_part}@{parts.ascii_domain}'.lower()


def require_canonical_email(address: str) -> str:
    """Raises Invalid."""
    canonical = canonical_email(address)
    if canonical is None:
        raise Invalid(f"'{address}' is not an e-mail address")
    return canonical


def rate_limit_subject(address: str) -> str:
    """What tries are counted by: the canonical form, or what was sent where that is no address."""
    return canonical_email(address) or address
