"""`Idempotency-Key`: a POST that creates something may be sent again, and does it once."""
import hmac
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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

# Visible characters, in the quotes of a structured field (RFC 9651, section 3.3.3) or, as most clients send
# it, without.
_KEY = re.compile(r'(?P<quote>"?)(?P<key>[\x21\x23-\x5b\x5d-\x7e]{1,255})(?P=quote)')
# What else the first answer said is the same for all answers, or is made anew.
_KEPT_HEADERS = ('Content-Type', 'Location')

ResultT = TypeVar('ResultT')


class InvalidIdempotencyKey(Invalid):

    def __init__(self) -> None:
        super().__init__(f"'{HEADER}' must be 1 to 255 visible ASCII characters, without quotes in it")


# For the description of a view.
KEY_ERRORS = (InvalidIdempotencyKey(), KeyInUse(), KeyReused())


class ResultObservingUnitOfWork(IdempotencyUnitOfWork, Protocol):

    def before_commit(self, keep: Callable[[Any], None]) -> None:
        """Call it in every commit with a result, in the same transaction and before it ends."""


UowT = TypeVar('UowT', bound=ResultObservingUnitOfWork)


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    # Makes fingerprints, out of which nobody without it could guess a password that was in the body.
    secret: bytes

    def respond(
        self,
        unit_of_work: Callable[[], UowT],
        use_case: Callable[[UowT], ResultT],
        present: Callable[[ResultT], Response],
        *,
        caller: Identity | None,
        content: Callable[[], bytes],
    ) -> Response:
        """Do the work and present its result, or give the answer that the same request was given before.

        `content` is what makes the request another one. The use case must give its result to `commit`, and
        commit once. Without a caller the content is part of whose key it is: strangers who think of the
        same key do not meet. Raises InvalidIdempotencyKey, KeyReused, KeyInUse, and what the use case raises.
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
        if claimed.answer is not None:
            return _replay(claimed.answer)
        return _do_once(unit_of_work, use_case, present, claimed)

    def _fingerprint(self, content: bytes) -> str:
        asked = f'{request.method} {request.full_path}\n'.encode()
        return hmac.new(self.secret, asked + content, 'sha256').hexdigest()


def _read_key() -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    match = _KEY.fullmatch(given.strip())
    if match is None:
        raise InvalidIdempotencyKey()
    return match['key']


def _do_once(
    unit_of_work: Callable[[], UowT],
    use_case: Callable[[UowT], ResultT],
    present: Callable[[ResultT], Response],
    claimed: IdempotencyClaim,
) -> Response:
    answers: list[Response] = []
    uow = unit_of_work()

    def keep(result: ResultT) -> None:
        response = present(result)
        claims.store_response(uow, claimed, _kept(response))
        answers.append(response)

    uow.before_commit(keep)
    try:
        use_case(uow)
        return answers.pop()
    except BaseException:
        # What failed has done nothing, and the key is free for another try, also of something mended.
        with suppress(Unavailable):
            claims.release(unit_of_work(), claimed)
        raise


def _kept(response: Response) -> StoredResponse:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return StoredResponse(status=response.status_code, headers=headers, content=response.get_data())


def _replay(answer: StoredResponse) -> Response:
    response = Response(answer.content, answer.status, answer.headers)
    response.headers[REPLAYED] = 'true'
    return response
