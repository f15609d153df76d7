from dataclasses import dataclass, field
from datetime import datetime


@dataclass(eq=False, kw_only=True)
class WhitelistEntry:
    id: int = field(init=False)
    # In canonical form.
    email: str
    note: str
    added_at: datetime
    # None means never.
    expires_at: datetime | None

    def admits(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at
