import json

import pytest
from flask import Flask

from talelio_backend.shared.business.errors import Fault, Invalid
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.schemas import ContentBody, Text

APP = Flask(__name__)


class LetterBody(ContentBody):
    unread = {'id'}
    other_names = {'post_mark': 'stamp'}

    subject: Text
    return_address: Text = None  # type: ignore[assignment]
    stamp: int = None  # type: ignore[assignment]


def read(**members: object) -> LetterBody:
    with APP.test_request_context(method='POST', data=json.dumps(members), content_type='application/json'):
        return read_body(LetterBody)


def refusal(**members: object) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read(**members)
    return caught.value


def test_what_responses_carry_is_ignored() -> None:
    assert read(subject='x', id={'any': 'thing'}) == LetterBody(subject='x')


@pytest.mark.parametrize(
    ('name', 'near'),
    [
        ('subjekt', 'subject'),
        ('Subject', 'subject'),
        ('returnAddress', 'return_address'),
        ('Return-Address', 'return_address'),
        ('postMark', 'stamp'),
        ('post_mark', 'stamp'),
    ],
)
def test_the_nearest_field_is_named(name: str, near: str) -> None:
    error = refusal(**{'subject': 'x', name: 1})

    assert error.message == (
        f"Unknown field '{name}' (did you mean '{near}'?); "
        "this path takes 'subject', 'return_address', 'stamp'"
    )
    assert list(error.faults) == [Fault((name, ), f"is unknown; did you mean '{near}'?")]


@pytest.mark.parametrize('name', ['', 'colour', '☃', '\ud800', 'id2'])
def test_a_name_like_none_has_no_hint(name: str) -> None:
    assert refusal(**{'subject': 'x', name: 1}).message.startswith(f"Unknown field '{name}'; this path takes")


def test_unknown_fields_come_after_missing_and_invalid_ones() -> None:
    missing = refusal(subjekt='x', stamp='y')
    invalid = refusal(subject='x', stmp=1, stamp='y')

    assert (missing.message, missing.code) == ("Expected 'subject' key", 'missing_key')
    assert [fault.path for fault in missing.faults] == [('subject', ), ('stamp', ), ('subjekt', )]
    assert invalid.message == "'stamp' must be a whole number"
    assert [fault.path for fault in invalid.faults] == [('stamp', ), ('stmp', )]


def test_many_or_long_names_are_shortened() -> None:
    many = refusal(subject='x', **{f'x{number}': 1 for number in range(100)})
    long = refusal(subject='x', **{'y' * 1000: 1})

    assert "'x19', …; this path" in many.message and len(many.faults) == 20
    assert long.message.startswith(f"Unknown field '{'y' * 80}…'; ")
