from dataclasses import dataclass, field
from datetime import datetime, timedelta

# The owner of the old address has so long to take the change back, also after it took effect.
REVOCATION_PERIOD = timedelta(days=7)


@dataclass(eq=False, kw_only=True)
class EmailChange:
    """The wish to have another address. It takes effect when its link, sent there, is confirmed."""

    id: int = field(init=False)
    account_id: int
    # Both in canonical form.
    old_email: str
    new_email: str
    requested_at: datetime
    confirmed_at: datetime | None = None
