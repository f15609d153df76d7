from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The author of a request, and where it came from, as far as known."""

    # Used when no account is known, such as for an operator at the command line.
    name: str = 'anonymous'
    address: str | None = None
    # Truncated.
    user_agent: str | None = None
    request_id: str | None = None
