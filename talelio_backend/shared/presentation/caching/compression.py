"""Sends text in fewer bytes; why gzip alone is told in .github/decisions/0016-conditional-requests.md."""
import gzip
from functools import lru_cache

from flask import Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from talelio_backend.shared.presentation.caching.conditional_requests import Coding

# Bytes. Below, an answer fits into a packet with its headers, and takes no shorter time when it is smaller.
_WORTH_IT = 1024
# Of 1 to 9. The next one takes half as much time again and saves a twentieth.
_LEVEL = 4
# Pictures are compressed already.
_TEXT = ('application/', 'text/')


def coding_of(response: Response, size: int) -> Coding | None:
    """Which coding an answer of so many bytes is to be sent in. What holds a secret must not ask for one.

    The size of a compressed answer tells something of what it holds to whoever can put text of their own
    into it and see how long it is (BREACH, https://www.breachattack.com).
    """
    if size < _WORTH_IT or not (response.mimetype
                                or '').startswith(_TEXT) or 'Content-Encoding' in response.headers:
        return None
    return accepted_coding(request.headers.get('Accept-Encoding'))


# Browsers send one of a few.
@lru_cache(maxsize=256)
def accepted_coding(header: str | None) -> Coding | None:
    """Return what a client with this `Accept-Encoding` is best sent text in."""
    accepted = parse_accept_header(header, Accept)
    named = {value.lower() for value, _ in accepted}
    # What is not named is as good as gzip is, unless that is refused.
    as_it_is = accepted.quality('identity') if 'identity' in named else 0
    return 'gzip' if accepted.quality('gzip') > 0 and accepted.quality('gzip') >= as_it_is else None


def compress(response: Response, coding: Coding) -> None:
    # Without a time in it, so that the same text gives the same bytes, as a strong tag promises.
    response.set_data(gzip.compress(response.get_data(), _LEVEL, mtime=0))
    response.headers['Content-Encoding'] = coding
