"""Where a follower of the changes is, as a word that only this service reads."""
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from typing import Self

from talelio_backend.app_feed.business.errors import InvalidCursor

# The first character is the form's number: a later form can be told from this one.
_FORM = re.compile(r'1\.(?P<history>[0-9a-f]{8})\.(?P<number>0|[1-9][0-9]{0,17})\.(?P<day>[1-9][0-9]{0,6})')
CURSOR_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Cursor:
    # Names the history of the database in which the number counts.
    history: str
    # Of the last change that the follower was given; 0 before the first.
    number: int
    # The last day on which the follower had everything.
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
            match = _FORM.fullmatch(plain)
            if match is None:
                raise ValueError
            cursor = cls(
                history=match['history'],
                number=int(match['number']),
                complete_on=date.fromordinal(int(match['day'])),
            )
        except ValueError:
            raise InvalidCursor() from None
        # Base64 is lenient about what it does not know; one place has one word.
        if str(cursor) != text:
            raise InvalidCursor()
        return cursor
