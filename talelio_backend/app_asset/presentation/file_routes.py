"""Serves images from the folder store."""
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from flask import Blueprint, Response, abort, request, send_file
from pydantic import Field
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable

from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.shared.presentation.operation import Media, described

# The content of a key never changes.
_CACHE_CONTROL = 'public, max-age=31536000, immutable'
_MEDIA_TYPES = {kind.extension: kind.value for kind in ImageKind}

Key = Annotated[str, Field(description='As in the URL of an image.', examples=['1/images/3f8a.jpg'])]

_ONE_RANGE = re.compile(r'bytes=[0-9]*-[0-9]*')

FILES_PATH = '/v1/assets/files'


def file_routes(locate: Callable[[str], Path | None]) -> Blueprint:
    routes = Blueprint('files', __name__, url_prefix=FILES_PATH)

    @routes.get('/<path:key>')
    @described(
        'Fetch the file of a picture',
        responses={
            HTTPStatus.OK: Media(types=list(_MEDIA_TYPES.values())),
            HTTPStatus.PARTIAL_CONTENT: Media(types=list(_MEDIA_TYPES.values())),
        },
        errors=[NotFound(), RequestedRangeNotSatisfiable()],
        request_headers=['Range'],
    )
    def show(key: Key) -> Response:
        file = locate(key)
        if file is None:
            abort(404)
        if not _ONE_RANGE.fullmatch(request.headers.get('Range', '')):
            # Servers may ignore unknown units and multiple ranges (RFC 9110, section 14.2).
            request.environ.pop('HTTP_RANGE', None)
        try:
            # Also evaluates preconditions and the range.
            response = send_file(
                file,
                mimetype=_MEDIA_TYPES[file.suffix.removeprefix('.')],
                conditional=True,
                etag=file.stem,
            )
        except FileNotFoundError:
            # The file has been deleted since it was located.
            abort(404)
        response.headers['Cache-Control'] = _CACHE_CONTROL
        response.headers['Content-Disposition'] = 'inline'
        response.headers['X-Content-Type-Options'] = 'nosniff'
        # Any page may show and read the image, including cross-origin isolated ones. The headers do not
        # depend on the origin, so that shared caches can serve one response to all.
        response.headers['Access-Control-Allow-Origin'] = '*'
        response.headers['Cross-Origin-Resource-Policy'] = 'cross-origin'
        return response

    return routes
