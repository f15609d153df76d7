"""The headers that the OpenAPI document speaks of, by name."""
from typing import Any

_TEXT = {'type': 'string'}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    'X-Request-ID': {
        'description': 'Names the request in the log.',
        'schema': _TEXT,
        'example': '4f0b5f9e8e3c4d0c9b1a5e2d7c6f8a90',
    },
    'Retry-After': {
        'description': 'After how many seconds to try again.',
        'schema': {
            'type': 'string',
            'pattern': '^[0-9]+$'
        },
        'example': '2',
    },
    'WWW-Authenticate': {
        'description': 'How to bring a token, and what is wrong with the one that came (RFC 6750).',
        'schema': _TEXT,
        'example': 'Bearer realm="talelio_backend", error="invalid_token"',
    },
    'Idempotency-Replayed': {
        'description': 'Says that this is the answer that an earlier request was given; absent otherwise.',
        'schema': {
            'type': 'string',
            'enum': ['true']
        },
        'example': 'true',
    },
    'Link': {
        'description': 'Where other pages are, as `first`, `prev` and `next` (RFC 8288).',
        'schema': _TEXT,
        'example': '</v1/users/maker/projects?limit=20&before=7>; rel="next"',
    },
    'Last-Modified': {
        'description': 'When it was changed; absent in the first second after that.',
        'schema': _TEXT,
        'example': 'Tue, 24 Nov 2026 12:30:59 GMT',
    },
    'X-Total-Count': {
        'description': 'How many there are on all pages.',
        'schema': {
            'type': 'string',
            'pattern': '^[0-9]+$'
        },
        'example': '2',
    },
    'Cache-Control': {
        'description': 'How long the answer may be kept (RFC 9111).',
        'schema': _TEXT,
        'example': 'public, max-age=31536000, immutable',
    },
    'Set-Cookie': {
        'description': 'The refresh token, which no script of a page can read (RFC 6265).',
        'schema': _TEXT,
        'example': '__Secure-refresh_token=…; Path=/v1/accounts; Secure; HttpOnly; SameSite=Strict',
    },
    'ETag': {
        'description': 'Names this state of the answer (RFC 9110, section 8.8.3).',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
}

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    'Idempotency-Key': {
        'description':
        'A key of your own, such as a UUID: the same request sent again under it within 24 hours is '
        'carried out once, and answered as the first time.',
        'schema': {
            'type': 'string',
            'pattern': '^[!#-[\\]-~]{1,255}$'
        },
        'example':
        '4f0b5f9e-8e3c-4d0c-9b1a-5e2d7c6f8a90',
    },
    'If-Match': {
        'description': 'The ETag of what one has seen: when it is another by now, nothing is changed.',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
    'If-None-Match': {
        'description': 'The ETag that one holds: when it still holds, the answer is a 304.',
        'schema': _TEXT,
        'example': '"3f8a"',
    },
    'If-Modified-Since': {
        'description': 'The Last-Modified that one holds; counts only without If-None-Match.',
        'schema': _TEXT,
        'example': 'Tue, 24 Nov 2026 12:30:59 GMT',
    },
    'Range': {
        'description': 'A part of the content (RFC 9110, section 14.2).',
        'schema': _TEXT,
        'example': 'bytes=0-1023',
    },
}
