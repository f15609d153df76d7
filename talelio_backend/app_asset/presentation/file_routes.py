"""Serves the stored pictures where no other server does."""
from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response, abort, send_file

from talelio_backend.app_asset.business.image import ImageKind

# The name of a file is made of its content, so what it names never changes.
_CACHE_CONTROL = 'public, max-age=31536000, immutable'
_MEDIA_TYPES = {kind.extension: kind.value for kind in ImageKind}

FILES_PATH = '/v1/assets/files'


def file_routes(locate: Callable[[str], Path | None]) -> Blueprint:
    """`locate` finds the file of a key."""
    routes = Blueprint('files', __name__, url_prefix=FILES_PATH)

    @routes.get('/<path:key>')
    def show(key: str) -> Response:
        file = locate(key)
        if file is None:
            abort(404)
        # Answers ranges and conditions too (RFC 9110, sections 13 and 14).
        response = send_file(
            file,
            mimetype=_MEDIA_TYPES[file.suffix.removeprefix('.')],
            conditional=True,
            etag=file.stem,
        )
        response.headers['Cache-Control'] = _CACHE_CONTROL
        response.headers['Content-Disposition'] = 'inline'
        response.headers['X-Content-Type-Options'] = 'nosniff'
        # Any page may show it, also one that isolates itself from other origins.
        response.headers['Cross-Origin-Resource-Policy'] = 'cross-origin'
        return response

    return routes
