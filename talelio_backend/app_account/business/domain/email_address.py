from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

from talelio_backend.shared.business.errors import Invalid

# 64 before the @ and 255 after it (RFC 5321, section 4.5.3.1).
EMAIL_LENGTH = 320


def canonical_email(address: str) -> str | None:
    """Return the form in which an address is stored and compared, or None if it is invalid.

    It is lower case, without surrounding space, and its domain is in ASCII form (RFC 5891), as mail needs it.
    """
    # Such as the Kelvin sign, which in lower case is the k of somebody else's address.
    if len(address) > EMAIL_LENGTH or any(normalize('NFKC', letter) != letter for letter in address):
        return None
    try:
        parts = validate_email(
            address.strip(),
            # The verification mail shows whether the address is deliverable.
            check_deliverability=False,
            # A private network may use names without a dot, or under .test.
            globally_deliverable=False,
            test_environment=True,
        )
    except EmailNotValidError:
        return None
    return f'{parts.local_part}@{parts.ascii_domain}'.lower()


@dataclass(frozen=True)
class EmailAddress:
    """An address of a request, which may be invalid. Errors repeat it as it was given."""

    given: str

    @cached_property
    def canonical(self) -> str | None:
        return canonical_email(self.given)

    @property
    def rate_limit_subject(self) -> str:
        return self.canonical or self.given

    def require_canonical(self) -> str:
        """Raises Invalid."""
        if self.canonical is None:
            raise Invalid(f"'{self.given}' is not an e-mail address")
        return self.canonical
