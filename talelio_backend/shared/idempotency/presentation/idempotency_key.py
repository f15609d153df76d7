"""`Idempotency-Key`: executes a repeated POST only once."""
import hmac
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from flask import Response, request

from talelio_backend.shared.business.errors import Invalid, Unavailable
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.idempotency.business import claims
from talelio_backend.shared.idempotency.business.claims import (
    IdempotencyClaim,
    IdempotencyUnitOfWork,
    KeyInUse,
    KeyReused,
    StoredResponse,
)

HEADER = 'Idempotency-Key'
REPLAYED = 'Idempotency-Replayed'

# Visible characters, quoted as in a structured field (RFC 9651, section 3.3.3) or, as most clients do, not.
_KEY = re.compile(r'(?P<quote>"?)(?P<key>[\x21\x23-\x5b\x5d-\x7e]{1,255})(?P=quote)')
# Other headers are the same for all responses, or are generated anew.
_STORED_HEADERS = ('Content-Type', 'Location')

ResultT = TypeVar('ResultT')


class InvalidIdempotencyKey(Invalid):
    message = f"'{HEADER}' must be 1 to 255 visible ASCII characters, without quotes in it"


# For the descriptions of views.
KEY_ERRORS = (InvalidIdempotencyKey(), KeyInUse(), KeyReused())


class ResultObservingUnitOfWork(IdempotencyUnitOfWork, Protocol):

    def before_commit(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` with the result in each commit that has one, within the transaction."""


UowT = TypeVar('UowT', bound=ResultObservingUnitOfWork)


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    # Keys the fingerprints, so that they do not reveal passwords in bodies.
    secret: bytes
    # Claims of failed requests that could not be released.
    _unreleased: deque[IdempotencyClaim] = field(default_factory=deque)

    def release_next(self, uow: IdempotencyUnitOfWork) -> bool:
        """Release a key that a lost database has kept in use. Return whether there may be more.

        Raises Unavailable.
        """
        if not self._unreleased:
            return False
        claims.release(uow, self._unreleased[0])
        self._unreleased.popleft()
        return True

    def respond(
        self,
        unit_of_work: Callable[[], UowT],
        use_case: Callable[[UowT], ResultT],
        present: Callable[[ResultT], Response],
        *,
        caller: Identity | None,
        content: Callable[[], bytes],
    ) -> Response:
        """Execute the use case and present its result, or repeat the response to the same request.

        `content` distinguishes requests. The use case must commit once and pass its result to `commit`.
        Without a caller, the content is part of the scope, so that equal keys of anonymous clients do not
        collide. Raises InvalidIdempotencyKey, KeyReused, KeyInUse, and the errors of the use case.
        """
        key = _read_key()
        if key is None:
            return present(use_case(unit_of_work()))
        fingerprint = self._fingerprint(content())
        wanted = IdempotencyClaim.make(
            scope=claims.scope_of(caller.account_id) if caller else f'{request.path} {fingerprint}',
            key=key,
            fingerprint=fingerprint,
            now=datetime.now(UTC),
        )
        claimed = claims.claim(unit_of_work(), wanted, datetime.now(UTC))
        if claimed.response is not None:
            return _replay(claimed.response)
        return self._do_once(unit_of_work, use_case, present, claimed)

    def _fingerprint(self, content: bytes) -> str:
        asked = f'{request.method} {request.full_path}\n'.encode()
        return hmac.new(self.secret, asked + content, 'sha256').hexdigest()

    def _do_once(
        self,
        unit_of_work: Callable[[], UowT],
        use_case: Callable[[UowT], ResultT],
        present: Callable[[ResultT], Response],
        claimed: IdempotencyClaim,
    ) -> Response:
        responses: list[Response] = []
        uow = unit_of_work()

        def store(result: ResultT) -> None:
            response = present(result)
            claims.store_response(uow, claimed, _stored(response))
            responses.append(response)

        uow.before_commit(store)
        try:
            use_case(uow)
            return responses.pop()
        except BaseException:
            # Nothing was committed; the key may be used again, even for a corrected request.
            try:
                claims.release(unit_of_work(), claimed)
            except Unavailable:
                self._unreleased.append(claimed)
            raise


def _read_key() -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    match = _KEY.fullmatch(given.strip())
    if match is None:
        raise InvalidIdempotencyKey()
    return match['key']


def _stored(response: Response) -> StoredResponse:
    headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
    return StoredResponse(status=response.status_code, headers=headers, content=response.get_data())


def _replay(stored: StoredResponse) -> Response:
    response = Response(stored.content, stored.status, stored.headers)
    response.headers[REPLAYED] = 'true'
    return response
