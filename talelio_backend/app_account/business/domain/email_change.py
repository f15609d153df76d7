from dataclasses import dataclass, field
from datetime import datetime, timedelta

# How long the owner of the old address can revoke a change, even after its confirmation.
REVOCATION_PERIOD = timedelta(days=7)


@dataclass(eq=False, kw_only=True)
class EmailChange:
    """A requested change. It takes effect when the link sent to the new address is confirmed."""

    id: int = field(init=False)
    account_id: int
    # Both in canonical form.
    old_email: str
    new_email: str
    requested_at: datetime
    confirmed_at: datetime | None = None
