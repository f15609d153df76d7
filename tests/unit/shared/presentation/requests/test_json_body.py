import json

import pytest
from flask import Flask
from werkzeug.exceptions import UnsupportedMediaType

from talelio_backend.shared.business.errors import Fault, Invalid
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.schemas import Body, Text

APP = Flask(__name__)


class LetterBody(Body):
    subject: Text
    words: Text
    colour: Text | None = None


def read(content: bytes, content_type: str | None = 'application/json') -> LetterBody:
    with APP.test_request_context(method='POST', data=content, content_type=content_type):
        return read_body(LetterBody)


def message_for(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read(content)
    return caught.value.message


def test_a_body_is_read_without_unknown_keys() -> None:
    body = read('{"subject": "Grüße ☃ 🎉", "words": "", "id": 7, "admin": true}'.encode())

    assert (body.subject, body.words, body.colour) == ('Grüße ☃ 🎉', '', None)
    assert not hasattr(body, 'id')


@pytest.mark.parametrize('content', [b'', b' \r\n\t'])
def test_an_empty_body_is_missing(content: bytes) -> None:
    assert message_for(content) == 'Missing request body'


@pytest.mark.parametrize(
    ('document', 'key'),
    [
        ({}, 'subject'),
        ({'words': 'x'}, 'subject'),
        ({'subject': 'x'}, 'words'),
        # A key that is absent is named before one of a wrong type.
        ({'subject': 7}, 'words'),
    ],
)  # yapf: disable
def test_the_first_missing_key_is_named(document: dict[str, object], key: str) -> None:
    assert message_for(json.dumps(document).encode()) == f"Expected '{key}' key"


@pytest.mark.parametrize('value', ['null', '7', '1.5', 'true', '[]', '["x"]', '{}'])
def test_a_value_of_the_wrong_type_is_named(value: str) -> None:
    content = f'{{"subject": {value}, "words": "x"}}'.encode()

    assert message_for(content) == "'subject' must be a string"


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'{', 'Malformed JSON in the request body'),
        (b'{"subject": "x",}', 'Malformed JSON in the request body'),
        (b"{'subject': 'x'}", 'line 1, column 2'),
        (b'{}{}', 'Malformed JSON in the request body: Extra data'),
        (b'{"subject": NaN}', 'NaN is not a JSON value'),
        (b'{"subject": -Infinity}', '-Infinity is not a JSON value'),
        (b'{"other": Infinity}', 'Infinity is not a JSON value'),
        (b'[]', 'must be a JSON object'),
        (b'null', 'must be a JSON object'),
        (b'"text"', 'must be a JSON object'),
        (b'[' * 100_000, 'nested too deeply'),
        (b'{"a":' * 100_000, 'nested too deeply'),
        (b'{"n": ' + b'9' * 5000 + b'}', 'a number that is too long'),
        ('{"subject": "x"}'.encode('utf-16'), 'not UTF-8'),
        (b'{"subject": "\xff"}', 'not UTF-8 at byte 13'),
        ('\ufeff{"subject": "x", "words": "x"}'.encode(), 'byte order mark'),
        (b'{"subject": "a\\u0000b", "words": "x"}', "'subject' must not contain a NUL"),
        (b'{"subject": "x", "words": "\\ud800"}', "'words' must not contain a lone surrogate"),
        (b'{"subject": "x\nx", "words": "x"}', 'Malformed JSON'),
    ],
    ids=lambda value: repr(value[:30]),
)  # yapf: disable
def test_a_malformed_body_is_explained(content: bytes, message: str) -> None:
    assert message in message_for(content)


@pytest.mark.parametrize('content_type', [None, 'application/json; charset=utf-8', 'application/ld+json'])
def test_json_media_types_and_a_missing_one_are_accepted(content_type: str | None) -> None:
    assert read(b'{"subject": "x", "words": "y"}', content_type).words == 'y'


@pytest.mark.parametrize('content_type', ['text/plain', 'application/x-www-form-urlencoded'])
def test_other_media_types_are_rejected(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="Expected 'application/json'"):
        read(b'{"subject": "x", "words": "y"}', content_type)


@pytest.mark.parametrize(
    ('document', 'code', 'faults'),
    [
        (
            {}, 'missing_key',
            [Fault(('subject', ), 'is missing'), Fault(('words', ), 'is missing')]
        ),
        (
            {'subject': 7, 'colour': 'a\0b'}, 'missing_key',
            [
                Fault(('subject', ), 'must be a string'),
                Fault(('words', ), 'is missing'),
                Fault(('colour', ), 'must not contain a NUL character'),
            ]
        ),
        ({'subject': 'x', 'words': []}, 'invalid_body', [Fault(('words', ), 'must be a string')]),
    ],
)  # yapf: disable
def test_all_faults_of_a_body_are_named(document: dict[str, object], code: str, faults: list[Fault]) -> None:
    with pytest.raises(Invalid) as caught:
        read(json.dumps(document).encode())

    assert (caught.value.code, list(caught.value.faults)) == (code, faults)


@pytest.mark.parametrize(('content', 'code'), [(b'', 'missing_body'), (b'{', 'malformed_body'),
                                               (b'[]', 'malformed_body')])
def test_a_body_that_is_no_object_has_a_code(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(content)

    assert (caught.value.code, list(caught.value.faults)) == (code, [])
