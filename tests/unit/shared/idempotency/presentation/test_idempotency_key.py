from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, Response

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.shared.business.errors import Invalid, Unavailable
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.idempotency.business.claims import LEASE, IdempotencyClaim, KeyInUse, KeyReused
from talelio_backend.shared.idempotency.presentation.idempotency_key import Idempotency, InvalidIdempotencyKey
from tests.fakes.store import Store
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import new_account

APP = Flask(__name__)
IDEMPOTENCY = Idempotency(secret=b'a secret')
SOMEBODY, OTHER = Identity(1), Identity(2)
UseCase = Callable[[FakeUnitOfWork], Account]


def register(uow: FakeUnitOfWork) -> Account:
    account = new_account()
    with uow:
        uow.accounts.add(account)
        uow.commit(account)
    return account


def present(account: Account) -> Response:
    location = {'Location': f'/accounts/{account.id}', 'X-Of-This-Answer': 'x'}
    return Response(f'account {account.id}', 201, location, mimetype='text/plain')


def ask(
    store: Store,
    key: str | None = 'a-key',
    use_case: UseCase = register,
    *,
    caller: Identity | None = SOMEBODY,
    content: bytes = b'content'
) -> Response:
    headers = {} if key is None else {'Idempotency-Key': key}
    with APP.test_request_context('/accounts', method='POST', headers=headers):
        return IDEMPOTENCY.respond(
            lambda: FakeUnitOfWork(store), use_case, present, caller=caller, content=lambda: content
        )


@pytest.fixture(name='store')
def _store() -> Store:
    return Store()


def claims(store: Store) -> list[IdempotencyClaim]:
    return list(store.idempotency_claims.values())


def test_nothing_is_stored_without_a_key(store: Store) -> None:
    assert ask(store, None).status_code == 201
    assert not claims(store)


def test_the_first_response_is_replayed_with_its_headers(store: Store) -> None:
    first, again = ask(store), ask(store)

    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers['Location'] == first.headers['Location']
    assert again.content_type == first.content_type
    assert 'X-Of-This-Answer' not in again.headers
    assert ('Idempotency-Replayed' in first.headers, again.headers['Idempotency-Replayed']) == (False, 'true')
    assert len(store.accounts) == 1


def test_different_content_is_a_different_request(store: Store) -> None:
    ask(store)

    with pytest.raises(KeyReused):
        ask(store, content=b'other')


def test_equal_keys_of_anonymous_clients_do_not_collide(store: Store) -> None:
    seen = []

    def look(uow: FakeUnitOfWork) -> Account:
        seen.append(uow)
        raise Invalid('Enough')

    for caller, content in [(SOMEBODY, b'a'), (OTHER, b'a'), (None, b'a'), (None, b'b')]:
        with pytest.raises(Invalid, match='Enough'):
            ask(store, use_case=look, caller=caller, content=content)
    assert len(seen) == 4


def test_a_fingerprint_requires_the_secret(store: Store) -> None:
    ask(store)
    other = Store()
    with APP.test_request_context('/accounts', method='POST', headers={'Idempotency-Key': 'a-key'}):
        Idempotency(secret=b'another secret').respond(
            lambda: FakeUnitOfWork(other), register, present, caller=SOMEBODY, content=lambda: b'content'
        )

    assert claims(store)[0].fingerprint != claims(other)[0].fingerprint


@pytest.mark.parametrize(
    'key', ['', ' ', '""', '"', 'x' * 256, 'two words', 'a"b', '"a"b"', 'a\\b', 'é', '\x7f']
)
def test_what_cannot_be_a_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        ask(store, key)
    assert not claims(store) and not store.accounts


@pytest.mark.parametrize('key', ['x', 'x' * 255, '!#[]~', '8e03978e-40d5-43dd-bc93-6894a57f9324'])
def test_a_quoted_key_equals_an_unquoted_one(store: Store, key: str) -> None:
    assert ask(store, f'"{key}"').data == ask(store, f' {key} ').data
    assert [claim.key for claim in claims(store)] == [key]


@pytest.mark.parametrize('error', [Invalid('a refusal'), Unavailable('a fault'), RuntimeError('a bug')])
def test_a_failed_request_releases_the_key(store: Store, error: Exception) -> None:

    def fail(_: FakeUnitOfWork) -> Account:
        raise error

    with pytest.raises(type(error)):
        ask(store, use_case=fail)

    assert not claims(store)
    assert ask(store, content=b'mended').status_code == 201


def test_a_request_whose_claim_was_taken_over_is_not_committed(store: Store) -> None:

    def slow(uow: FakeUnitOfWork) -> Account:
        claimed, = claims(store)
        claimed.lease_ends_at -= LEASE + timedelta(seconds=1)
        ask(store)
        account = new_account('other')
        with uow:
            uow.accounts.add(account)
            uow.commit(account)
        return account

    with pytest.raises(KeyInUse):
        ask(store, use_case=slow)

    assert [account.user.username for account in store.accounts.values()] == ['maker']
    assert ask(store).headers['Idempotency-Replayed'] == 'true'


def test_a_key_that_could_not_be_released_is_released_when_the_database_is_back(store: Store) -> None:

    class Lost(FakeUnitOfWork):

        def __enter__(self) -> 'Lost':
            raise Unavailable('no database')

    units = iter([FakeUnitOfWork(store), FakeUnitOfWork(store), Lost(store)])

    def fail(_: FakeUnitOfWork) -> Account:
        raise Invalid('a refusal')

    headers = {'Idempotency-Key': 'a-key'}
    with APP.test_request_context('/accounts', method='POST', headers=headers), \
            pytest.raises(Invalid, match='a refusal'):
        IDEMPOTENCY.respond(lambda: next(units), fail, present, caller=SOMEBODY, content=lambda: b'')

    with pytest.raises(KeyInUse):
        ask(store, content=b'')
    with pytest.raises(Unavailable):
        IDEMPOTENCY.release_next(Lost(store))

    assert IDEMPOTENCY.release_next(FakeUnitOfWork(store))
    assert not IDEMPOTENCY.release_next(FakeUnitOfWork(store))
    assert ask(store, content=b'').status_code == 201
