from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who makes a request, and from where, as far as that is known."""

    # Who acts when no account does, such as the operator at the command line.
    name: str = 'anonymous'
    address: str | None = None
    # As the client calls itself, shortened.
    user_agent: str | None = None
    request_id: str | None = None


UNKNOWN_ACTOR = Actor()
