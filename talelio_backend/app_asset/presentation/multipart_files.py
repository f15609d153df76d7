"""Reads the files of a `multipart/form-data` body (RFC 7578) in the order sent."""
import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from flask import request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.sansio import multipart

from talelio_backend.app_asset.business.ports import UploadedFile
from talelio_backend.shared.business.errors import Unavailable

# Files of more bytes than this are spooled to disk.
_IN_MEMORY = 64 * 1024
# Fields other than files are ignored. The maximum bytes of such a field and of the headers of a part.
_FIELD_SIZE = 128 * 1024
_FIELDS = 20
# Bytes allowed beside the files: boundaries, headers and fields.
_OVERHEAD = 1024 * 1024
_CHUNK = 64 * 1024


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

        def receive(name: str) -> BinaryIO:
            if len(files) == limits.files:
                raise RequestEntityTooLarge(f'Too many files: at most {limits.files} can be sent at once')
            file = cast(BinaryIO, open_files.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY)))
            files.append(UploadedFile(name=name, content=file))
            return file

        if request.mimetype == 'multipart/form-data':
            _parse(receive, limits.files + _FIELDS)
        yield files


def digests(files: Sequence[UploadedFile]) -> bytes:
    """Return the concatenated SHA-256 digests of the files."""
    found = []
    for file in files:
        # typing's BinaryIO lacks `readinto`, which the files have.
        found.append(file_digest(cast(Any, file.content), 'sha256').digest())
        file.content.seek(0)
    return b''.join(found)


class _Decoder(multipart.MultipartDecoder):

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        # Only errors show the names of files, so a name in another charset must not fail the upload.
        return super()._parse_headers(data.decode(errors='replace').encode())


def _parse(receive: Callable[[str], BinaryIO], max_parts: int) -> None:
    try:
        boundary = request.mimetype_params['boundary'].encode('ascii')
        if not boundary:
            raise ValueError('The boundary is empty')
        _decode(_Decoder(boundary, _FIELD_SIZE, max_parts=max_parts), receive)
    except HTTPException:
        raise
    except Exception as error:
        if getattr(error, 'errno', None) in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable('There is no room for uploads just now, please try again') from error
        # The decoder rejected the body, or the server a malformed chunk with an error class of its own.
        raise BadRequest('The multipart body is malformed or was cut short') from error


def _decode(decoder: multipart.MultipartDecoder, receive: Callable[[str], BinaryIO]) -> None:
    file: BinaryIO | None = None
    field_size = 0
    event: multipart.Event = multipart.NEED_DATA
    while not isinstance(event, multipart.Epilogue):
        if isinstance(event, multipart.NeedData):
            decoder.receive_data(request.stream.read(_CHUNK) or None)
        elif isinstance(event, multipart.File):
            file = receive(event.filename)
        elif isinstance(event, multipart.Field):
            file, field_size = None, 0
        elif isinstance(event, multipart.Data) and file is not None:
            file.write(event.data)
            if not event.more_data:
                file.seek(0)
        elif isinstance(event, multipart.Data):
            field_size += len(event.data)
            if field_size > _FIELD_SIZE:
                raise RequestEntityTooLarge()
        event = decoder.next_event()
