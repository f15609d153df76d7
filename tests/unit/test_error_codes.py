"""Clients tell errors by their code, so a code that has been given out stays."""
import re
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

import pytest

# Imports every feature, and so every error.
import talelio_backend.bootstrap  # noqa: F401, pylint: disable=unused-import
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.presentation.errors.problem_details import code_of_status

# A new error adds its line; none is ever taken out.
PROMISED = frozenset(
    '''
    account_already_verified
    account_disabled
    account_gone
    account_not_verified
    changed_meanwhile
    conflict
    cursor_gone
    email_not_whitelisted
    email_taken
    foreign_page
    idempotency_key_in_use
    idempotency_key_reused
    feed_not_found
    image_not_found
    image_too_large
    invalid
    invalid_access_token
    invalid_body
    invalid_cursor
    invalid_credentials
    invalid_idempotency_key
    invalid_image_type
    invalid_query
    invalid_refresh_token
    invalid_username
    invalid_value
    invalid_verification_token
    malformed_body
    missing_access_token
    missing_body
    missing_key
    no_registered_account
    no_such_account
    not_found
    not_on_whitelist
    not_renderable
    not_your_project
    nothing_published
    precondition_failed
    project_not_found
    revision_not_found
    session_ended
    session_not_found
    session_over
    slug_taken
    storage_refused
    too_expensive_to_render
    too_many_tries
    unavailable
    user_not_found
    username_taken
    weak_password
    '''.split()
)

OF_STATUSES = {
    400: 'bad_request',
    404: 'not_found',
    405: 'method_not_allowed',
    408: 'request_timeout',
    413: 'payload_too_large',
    414: 'uri_too_long',
    415: 'unsupported_media_type',
    416: 'range_not_satisfiable',
    417: 'expectation_failed',
    429: 'too_many_requests',
    431: 'request_header_fields_too_large',
    500: 'internal_server_error',
    501: 'not_implemented',
    503: 'service_unavailable',
}


def errors(kind: type[BusinessError] = BusinessError) -> Iterator[type[BusinessError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from errors(subclass)


def test_no_promised_code_is_gone() -> None:
    assert PROMISED - {error.code for error in errors()} == set()


def test_every_error_has_a_code_of_its_own_that_is_plain_words() -> None:
    codes = Counter(error.code for error in errors())

    assert [code for code, number in codes.items() if number > 1] == []
    assert [code for code in codes if not re.fullmatch(r'[a-z]+(_[a-z]+)*', code)] == []


@pytest.mark.parametrize(('status', 'code'), OF_STATUSES.items())
def test_what_http_itself_refuses_has_a_code(status: int, code: str) -> None:
    assert code_of_status(HTTPStatus(status)) == code


def test_a_renamed_error_may_keep_its_code() -> None:

    class Renamed(BusinessError):
        code = 'older_name'

    assert Renamed('x').code == 'older_name'
