"""RFC 9110, sections 13.1 and 13.2.2."""
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from flask import Flask
from pydantic import BaseModel
from werkzeug.datastructures import Headers

from talelio_backend.shared.business.errors import PreconditionFailed
from talelio_backend.shared.presentation.caching.conditional_requests import (
    Representation,
    evaluate,
    precondition,
    tag_of,
    tag_when_coded,
)

APP = Flask(__name__)
MODIFIED = datetime(2026, 11, 24, 12, 0, 0, 999_999, tzinfo=UTC)
BEFORE, THEN, AFTER = (f'Tue, 24 Nov 2026 {time} GMT' for time in ('11:59:59', '12:00:00', '12:00:01'))
GO_ON, NOT_MODIFIED, FAILED = None, HTTPStatus.NOT_MODIFIED, HTTPStatus.PRECONDITION_FAILED


class Letter(BaseModel):
    words: str
    updated_at: datetime | None = MODIFIED


def verdict(method: str, headers: Mapping[str, str], modified: datetime | None = MODIFIED) -> int | None:
    return evaluate(['here', 'here-gzip'], modified, method=method, headers=Headers(headers))


@pytest.mark.parametrize(
    ('headers', 'read', 'change'),
    [
        ({}, GO_ON, GO_ON),
        ({'If-Match': '"here"'}, GO_ON, GO_ON),
        ({'If-Match': '"here-gzip"'}, GO_ON, GO_ON),
        ({'If-Match': '*'}, GO_ON, GO_ON),
        ({'If-Match': '"other", "here"'}, GO_ON, GO_ON),
        ({'If-Match': '"other" ,W/"here","here"'}, GO_ON, GO_ON),
        ({'If-Match': '"other"'}, FAILED, FAILED),
        ({'If-Match': '"HERE"'}, FAILED, FAILED),
        ({'If-Match': '"other, here"'}, FAILED, FAILED),
        # A weak tag never matches by the strong comparison.
        ({'If-Match': 'W/"here"'}, FAILED, FAILED),
        ({'If-Match': ''}, FAILED, FAILED),
        ({'If-None-Match': '"here"'}, NOT_MODIFIED, FAILED),
        ({'If-None-Match': 'W/"here"'}, NOT_MODIFIED, FAILED),
        ({'If-None-Match': '"other", W/"here-gzip"'}, NOT_MODIFIED, FAILED),
        ({'If-None-Match': '*'}, NOT_MODIFIED, FAILED),
        ({'If-None-Match': '"other"'}, GO_ON, GO_ON),
        ({'If-None-Match': ''}, GO_ON, GO_ON),
        ({'If-Modified-Since': THEN}, NOT_MODIFIED, GO_ON),
        ({'If-Modified-Since': AFTER}, NOT_MODIFIED, GO_ON),
        ({'If-Modified-Since': BEFORE}, GO_ON, GO_ON),
        ({'If-Modified-Since': 'yesterday'}, GO_ON, GO_ON),
        ({'If-Unmodified-Since': THEN}, GO_ON, GO_ON),
        ({'If-Unmodified-Since': BEFORE}, FAILED, FAILED),
        ({'If-Unmodified-Since': 'yesterday'}, GO_ON, GO_ON),
        # A tag wins over a time, either way.
        ({'If-None-Match': '"other"', 'If-Modified-Since': AFTER}, GO_ON, GO_ON),
        ({'If-None-Match': '"here"', 'If-Modified-Since': BEFORE}, NOT_MODIFIED, FAILED),
        ({'If-Match': '"here"', 'If-Unmodified-Since': BEFORE}, GO_ON, GO_ON),
        ({'If-Match': '"other"', 'If-Unmodified-Since': AFTER}, FAILED, FAILED),
        # What must be so comes before what must not.
        ({'If-Match': '"other"', 'If-None-Match': '"here"'}, FAILED, FAILED),
        ({'If-Match': '"here"', 'If-None-Match': '"here"'}, NOT_MODIFIED, FAILED),
    ],
)  # yapf: disable
def test_conditions_are_evaluated(headers: dict[str, str], read: int | None, change: int | None) -> None:
    assert [verdict(method, headers) for method in ('GET', 'HEAD')] == [read, read]
    assert [verdict(method, headers) for method in ('PATCH', 'DELETE')] == [change, change]


@pytest.mark.parametrize('header', ['If-Modified-Since', 'If-Unmodified-Since'])
def test_conditions_on_time_need_a_modification_time(header: str) -> None:
    assert verdict('GET', {header: THEN}, modified=None) is None


def test_different_content_has_a_different_tag() -> None:
    assert tag_of(b'a') == tag_of(b'a') != tag_of(b'b')
    assert tag_when_coded('a', 'gzip') != tag_when_coded('a', None)


def letter(words: str) -> Representation:
    return Representation.of(Letter(words=words))


def check(words: str, headers: Mapping[str, str]) -> None:
    with APP.test_request_context(method='PATCH', headers=headers):
        wanted = precondition(letter)
        assert wanted is not None
        wanted(words)


def test_a_change_without_conditions_has_no_check() -> None:
    with APP.test_request_context(method='PATCH'):
        assert precondition(letter) is None


@pytest.mark.parametrize('coding', [None, 'gzip'])
def test_a_change_proceeds_if_the_entity_is_unchanged(coding: None) -> None:
    tag = tag_when_coded(tag_of(Letter(words='seen').model_dump_json().encode()), coding)

    check('seen', {'If-Match': f'"{tag}"'})
    with pytest.raises(PreconditionFailed):
        check('changed since', {'If-Match': f'"{tag}"'})
    with pytest.raises(PreconditionFailed):
        check('seen', {'If-Unmodified-Since': BEFORE})
