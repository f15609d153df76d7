"""Opaque positions in the change log."""
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from typing import Self

from talelio_backend.app_feed.business.errors import InvalidCursor

# The first character is the version of the format.
_FORMAT = re.compile(r'1\.(?P<history>[0-9a-f]{8})\.(?P<number>0|[1-9][0-9]{0,17})\.(?P<day>[1-9][0-9]{0,6})')
CURSOR_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Cursor:
    # Identifies the database history that the number belongs to.
    history: str
    # The number of the last change that was delivered; 0 before the first.
    number: int
    # The last day on which the client was up to date.
    complete_on: date

    def __str__(self) -> str:
        plain = f'1.{self.history}.{self.number}.{self.complete_on.toordinal()}'
        return urlsafe_b64encode(plain.encode()).decode().rstrip('=')

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidCursor."""
        try:
            if len(text) > CURSOR_LENGTH:
                raise ValueError
            plain = urlsafe_b64decode(text + '=' * (-len(text) % 4)).decode('ascii')
            match = _FORMAT.fullmatch(plain)
            if match is None:
                raise ValueError
            cursor = cls(
                history=match['history'],
                number=int(match['number']),
                complete_on=date.fromordinal(int(match['day'])),
            )
        except ValueError:
            raise InvalidCursor() from None
        # The decoder ignores unknown characters; accept only the canonical form.
        if str(cursor) != text:
            raise InvalidCursor()
        return cursor
