"""Headers in the OpenAPI document, by name."""
from typing import Any


def _header(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {'description': description, 'schema': {'type': 'string', **schema}, 'example': example}


RESPONSE_HEADERS = {
    'X-Request-ID':
    _header('Identifies the request in the log.', '4f0b5f9e8e3c4d0c9b1a5e2d7c6f8a90'),
    'Retry-After':
    _header('Seconds to wait before a retry.', '2', pattern='^[0-9]+$'),
    'WWW-Authenticate':
    _header(
        'How to authenticate, and what is wrong with the token (RFC 6750).',
        'Bearer realm="talelio_backend", error="invalid_token"'
    ),
    'Idempotency-Replayed':
    _header('Present when this repeats the response to an earlier request.', 'true', enum=['true']),
    'Link':
    _header(
        'Links to other pages: `first`, `prev` and `next` (RFC 8288).',
        '</v1/users/maker/projects?limit=20&before=7>; rel="next"'
    ),
    'Last-Modified':
    _header(
        'The time of the last change; absent in the first second after it.', 'Tue, 24 Nov 2026 12:30:59 GMT'
    ),
    'X-Total-Count':
    _header('The number of items on all pages.', '2', pattern='^[0-9]+$'),
    'Cache-Control':
    _header('How long the response may be cached (RFC 9111).', 'public, max-age=31536000, immutable'),
    'Set-Cookie':
    _header(
        'The refresh token, which scripts cannot read (RFC 6265).',
        '__Secure-refresh_token=…; Path=/v1/accounts; Secure; HttpOnly; SameSite=Strict'
    ),
    'ETag':
    _header('Identifies this version of the resource (RFC 9110, section 8.8.3).', '"3f8a"'),
}

REQUEST_HEADERS = {
    'Idempotency-Key':
    _header(
        'A unique key of your choice, such as a UUID. Requests repeated with the same key within 24 hours '
        'are executed once and get the same response.',
        '4f0b5f9e-8e3c-4d0c-9b1a-5e2d7c6f8a90',
        pattern='^[!#-[\\]-~]{1,255}$'
    ),
    'If-Match':
    _header('The ETag of the version that you have read. If it is outdated, nothing is changed.', '"3f8a"'),
    'If-None-Match':
    _header('The ETag of your cached response. If it is current, the response is a 304.', '"3f8a"'),
    'If-Modified-Since':
    _header(
        'The Last-Modified of your cached response. Ignored if If-None-Match is present.',
        'Tue, 24 Nov 2026 12:30:59 GMT'
    ),
    'Range':
    _header('The requested part of the content (RFC 9110, section 14.2).', 'bytes=0-1023'),
}
