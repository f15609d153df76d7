from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from talelio_backend.app_asset.business.ports import UploadedFile
from talelio_backend.app_asset.presentation.multipart_files import UploadLimits, multipart_files

APP = Flask(__name__)
LIMITS = UploadLimits(files=3, bytes=1000)
MIB = 1024 * 1024


def part(content: bytes, name: str = 'file', filename: str | None = 'x.jpg') -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else '')
    return b'--frontier\r\nContent-Disposition: ' + disposition.encode() + b'\r\n\r\n' + content + b'\r\n'


def read(
    body: bytes,
    content_type: str = 'multipart/form-data; boundary=frontier',
    environ: dict[str, Any] | None = None
) -> list[bytes]:
    context = APP.test_request_context(
        method='POST', data=body, content_type=content_type, environ_overrides=environ
    )
    with context, multipart_files(LIMITS) as files:
        return [file.content.read() for file in files]


def test_files_under_any_field_names_are_in_the_order_sent() -> None:
    body = part(b'1', 'a') + part(b'2', 'b') + part(b'3', 'a') + b'--frontier--\r\n'

    assert read(body) == [b'1', b'2', b'3']


@pytest.mark.parametrize(
    'filename', ['../../etc/passwd', 'x\0.jpg', 'ä☃🎉.jpg', 'a' * 50_000, '', '.', 'a";x="b']
)
def test_any_file_name_is_accepted(filename: str) -> None:
    assert read(part(b'1', filename=filename) + b'--frontier--\r\n') == [b'1']


def test_a_file_name_in_another_charset_is_accepted() -> None:
    body = part(b'\xfc', filename='für.jpg').replace('ü'.encode(), b'\xfc') + part(b'2') + b'--frontier--\r\n'

    context = APP.test_request_context(
        method='POST', data=body, content_type='multipart/form-data; boundary=frontier'
    )
    with context, multipart_files(LIMITS) as files:
        assert [file.content.read() for file in files] == [b'\xfc', b'2']
        assert [file.name for file in files] == ['f\ufffdr.jpg', 'x.jpg']


def test_other_fields_are_ignored() -> None:
    body = part(b'text', filename=None) + part(b'1') + part(b'more', filename=None) + b'--frontier--\r\n'

    assert read(body) == [b'1']


@pytest.mark.parametrize(
    'content_type', ['', 'application/json', 'image/jpeg', 'application/x-www-form-urlencoded']
)
def test_another_kind_of_body_has_no_files(content_type: str) -> None:
    assert read(part(b'1') + b'--frontier--\r\n', content_type) == []


@pytest.mark.parametrize('body', [b'', b'--frontier--\r\n'])
def test_a_form_without_parts_has_no_files(body: bytes) -> None:
    assert read(body) == []


def test_more_files_than_the_limit_are_refused() -> None:
    assert len(read(part(b'1') * 3 + b'--frontier--\r\n')) == 3
    with pytest.raises(RequestEntityTooLarge, match='at most 3 can be sent at once'):
        read(part(b'1') * 4 + b'--frontier--\r\n')


@pytest.mark.parametrize(
    'body',
    [
        part(b'x', filename=None) * 1001,
        part(b'x' * 200_000, filename=None),
        b'--frontier\r\nContent-Disposition: form-data; name="' + b'x' * 200_000 + b'"\r\n\r\n1\r\n',
        part(b'x' * (2 * MIB)),
    ],
    ids=['parts', 'field', 'header', 'body'],
)
def test_a_body_over_a_limit_is_refused(body: bytes) -> None:
    with pytest.raises(RequestEntityTooLarge):
        read(body + b'--frontier--\r\n')


def test_a_body_that_declares_too_many_bytes_is_not_read() -> None:

    class Untouchable(BytesIO):

        def read(self, *_: Any) -> bytes:
            raise AssertionError('was read')

    with pytest.raises(RequestEntityTooLarge):
        read(b'', environ={'wsgi.input': Untouchable(), 'CONTENT_LENGTH': str(2 * MIB)})


@pytest.mark.parametrize(
    'body',
    [
        b'nothing of the sort',
        part(b'1'),
        part(b'1')[:-9],
        b'--frontier\r\n\r\n1\r\n--frontier--\r\n',
    ],
)
def test_a_malformed_form_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest, match='malformed or was cut short'):
        read(body)


@pytest.mark.parametrize(
    'content_type', [
        'multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=""',
        'multipart/form-data; boundary=ä'
    ]
)
def test_a_form_without_a_valid_boundary_is_a_bad_request(content_type: str) -> None:
    with pytest.raises(BadRequest):
        read(part(b'1') + b'--frontier--\r\n', content_type)


@given(st.binary(max_size=300), st.integers(0, 200))
def test_random_forms_are_at_worst_a_bad_request(noise: bytes, cut: int) -> None:
    good = part(b'1') + part(b'2', filename=None) + b'--frontier--\r\n'
    try:
        read(good[:cut] + noise + good[cut:])
    except HTTPException as error:
        assert error.code in (400, 413)


def test_files_are_closed_at_the_end_of_the_block() -> None:
    kept: list[UploadedFile] = []
    with APP.test_request_context(
        method='POST',
        data=part(b'1') + b'--frontier--\r\n',
        content_type='multipart/form-data; boundary=frontier',
    ), multipart_files(LIMITS) as files:
        kept.extend(files)

    assert [file.content.closed for file in kept] == [True]
