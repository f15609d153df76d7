"""Reads the files of a `multipart/form-data` body (RFC 7578) in the order sent."""
import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from talelio_backend.app_asset.business.ports import UploadedFile
from talelio_backend.shared.business.errors import Unavailable

# Files of more bytes than this are spooled to disk.
_IN_MEMORY = 64 * 1024
# Fields other than files are ignored. The maximum bytes of such a field and of the headers of a part.
_FIELD_SIZE = 128 * 1024
_FIELDS = 20
# Bytes allowed beside the files: boundaries, headers and fields.
_OVERHEAD = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    # Of one request.
    files: int
    # Of one file.
    bytes: int


@contextmanager
def multipart_files(limits: UploadLimits) -> Iterator[list[UploadedFile]]:
    """Yield the files under any field names, or none if the body is not a multipart form.

    Closes the files at the end of the block. Raises HTTPException, or Unavailable if the disk is full.
    """
    request.max_content_length = limits.files * limits.bytes + _OVERHEAD
    with ExitStack() as open_files:
        files: list[UploadedFile] = []

        def receive(*_: object, filename: str | None = None, **__: object) -> IO[bytes]:
            if len(files) == limits.files:
                raise RequestEntityTooLarge(f'Too many files: at most {limits.files} can be sent at once')
            file = cast(BinaryIO, open_files.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY)))
            files.append(UploadedFile(name=filename or '', content=file))
            return file

        _parse(
            FormDataParser(
                receive,
                max_form_memory_size=_FIELD_SIZE,
                max_form_parts=limits.files + _FIELDS,
                silent=False,
            )
        )
        yield files


def digests(files: Sequence[UploadedFile]) -> bytes:
    """Return the concatenated SHA-256 digests of the files."""
    found = []
    for file in files:
        # typing's BinaryIO lacks `readinto`, which the files have.
        found.append(file_digest(cast(Any, file.content), 'sha256').digest())
        file.content.seek(0)
    return b''.join(found)


def _parse(parser: FormDataParser) -> None:
    if request.mimetype != 'multipart/form-data':
        return
    try:
        parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
    except HTTPException:
        raise
    except Exception as error:
        if getattr(error, 'errno', None) in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable('There is no room for uploads just now, please try again') from error
        # The parser rejected the body, or the server a malformed chunk with an error class of its own.
        raise BadRequest('The multipart body is malformed or was cut short') from error
