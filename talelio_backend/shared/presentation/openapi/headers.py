"""Headers in the OpenAPI document, by name."""
from typing import Any

_TEXT = {'type': 'string'}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    'X-Request-ID': {
        'description': 'Identifies the request in the log.',
        'schema': _TEXT,
        'example': '4f0b5f9e8e3c4d0c9b1a5e2d7c6f8a90',
    },
    'Retry-After': {
        'description': 'Seconds to wait before a retry.',
        'schema': {
            'type': 'string',
            'pattern': '^[0-9]+$'
        },
        'example': '2',
    },
    'WWW-Authenticate': {
        'description': 'How to authenticate, and what is wrong with the token (RFC 6750).',
        'schema': _TEXT,
        'example': 'Bearer realm="talelio_backend", error="invalid_token"',
    },
    'Idempotency-Replayed': {
        'description': 'Present when this repeats the response to an earlier request.',
        'schema': {
            'type': 'string',
            'enum': ['true']
        },
        'example': 'true',
    },
    'Link': {
        'description': 'Links to other pages: `first`, `prev` and `next` (RFC 8288).',
        'schema': _TEXT,
        'example': '</v1/users/maker/projects?limit=20&before=7>; rel="next"',
    },
    'Last-Modified': {
        'description': 'The time of the last change; absent in the first second after it.',
        'schema': _TEXT,
        'example': 'Tue, 24 Nov 2026 12:30:59 GMT',
    },
    'X-Total-Count': {
        'description': 'The number of items on all pages.',
        'schema': {
            'type': 'string',
            'pattern': '^[0-9]+$'
        },
        'example': '2',
    },
    'Cache-Control': {
        'description': 'How long the response may be cached (RFC 9111).',
        'schema': _TEXT,
        'example': 'public, max-age=31536000, immutable',
    },
    'Set-Cookie': {
        'description': 'The refresh token, which scripts cannot read (RFC 6265).',
        'schema': _TEXT,
        'example': '__Secure-refresh_token=…; Path=/v1/accounts; Secure; HttpOnly; SameSite=Strict',
    },
    'ETag': {
        'description': 'Identifies this version of the resource (RFC 9110, section 8.8.3).',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
}

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    'Idempotency-Key': {
        'description':
        'A unique key of your choice, such as a UUID. Requests repeated with the same key within 24 hours '
        'are executed once and get the same response.',
        'schema': {
            'type': 'string',
            'pattern': '^[!#-[\\]-~]{1,255}$'
        },
        'example':
        '4f0b5f9e-8e3c-4d0c-9b1a-5e2d7c6f8a90',
    },
    'If-Match': {
        'description': 'The ETag of the version that you have read. If it is outdated, nothing is changed.',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
    'If-None-Match': {
        'description': 'The ETag of your cached response. If it is current, the response is a 304.',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
    'If-Modified-Since': {
        'description': 'The Last-Modified of your cached response. Ignored if If-None-Match is present.',
        'schema': _TEXT,
        'example': 'Tue, 24 Nov 2026 12:30:59 GMT',
    },
    'Range': {
        'description': 'The requested part of the content (RFC 9110, section 14.2).',
        'schema': _TEXT,
        'example': 'bytes=0-1023',
    },
}
