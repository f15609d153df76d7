import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest

from talelio_backend.observability.log_format import logging_config, redact
from talelio_backend.settings import Settings
from talelio_backend.shared.presentation.requests.access_log import request_id
from tests.support.served_api import SECRET_KEY

TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x'


@pytest.mark.parametrize(
    ('line', 'redacted'),
    [
        (f'GET /v1/accounts/verify/{TOKEN} 200', 'GET /v1/accounts/verify/<redacted> 200'),
        ('GET /v1/accounts/verify/10kB-of-junk HTTP/1.1', 'GET /v1/accounts/verify/<redacted> HTTP/1.1'),
        (
            'GET /v1/accounts/password/reset/eJ-cut.short 400',
            'GET /v1/accounts/password/reset/<redacted> 400'
        ),
        ('GET /v1/accounts/email/confirm/eJ-cut.short 400', 'GET /v1/accounts/email/confirm/<redacted> 400'),
        ('GET /v1/accounts/email/revoke/eJ-cut.short 400', 'GET /v1/accounts/email/revoke/<redacted> 400'),
        ('POST /v1/accounts/verify/resend 202', 'POST /v1/accounts/verify/resend 202'),
        (f'bad header: Authorization: Bearer {TOKEN}', 'bad header: Authorization: Bearer <redacted>'),
        (f'{{"path": "/v1/accounts/verify/{TOKEN}"}}', '{"path": "/v1/accounts/verify/<redacted>"}'),
        ('GET /v1/users/maker/projects 200', 'GET /v1/users/maker/projects 200'),
    ],
)
def test_tokens_are_redacted(line: str, redacted: str) -> None:
    assert redact(line) == redacted


@pytest.fixture(name='log')
def fixture_log() -> Iterator[io.StringIO]:
    """What a service in production writes."""
    settings = Settings.from_env({'ENV': 'testing', 'SECRET_KEY': SECRET_KEY})
    logging.config.dictConfig(logging_config(settings))
    logger = logging.getLogger('talelio_backend')
    handler = logger.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    yield stream
    logger.removeHandler(handler)
    logging.getLogger('gunicorn.error').removeHandler(handler)
    logging.getLogger().removeHandler(handler)
    logger.propagate = True


def test_a_line_is_json_with_the_request_id_and_extra_values(log: io.StringIO) -> None:
    reset = request_id.set('request-7')
    try:
        logging.getLogger('talelio_backend.part').warning('It is %s', 'so', extra={'status': 200})
    finally:
        request_id.reset(reset)

    line = json.loads(log.getvalue())
    assert line.pop('time').endswith('Z')
    assert line == {
        'level': 'WARNING',
        'logger': 'talelio_backend.part',
        'message': 'It is so',
        'request_id': 'request-7',
        'status': 200,
    }


def test_tokens_in_exceptions_are_redacted(log: io.StringIO) -> None:
    try:
        raise ValueError(f'cannot read {TOKEN}')
    except ValueError:
        logging.getLogger('talelio_backend').exception('failed')

    assert 'ValueError: cannot read <redacted>' in json.loads(log.getvalue())['exc_info']
