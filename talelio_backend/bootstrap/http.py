from flask import Flask
from flask_cors import CORS

from talelio_backend.observability.metrics.requests import RequestMetrics
from talelio_backend.settings import Settings
from talelio_backend.shared.presentation.caching.finalize_response import add_response_finalizer
from talelio_backend.shared.presentation.caching.response_cache import PublicData, ResponseCache
from talelio_backend.shared.presentation.errors.handlers import add_error_handlers
from talelio_backend.shared.presentation.requests.access_log import add_request_log
from talelio_backend.shared.presentation.requests.client import ForwardedFor
from talelio_backend.shared.presentation.requests.request_target import (
    add_target_checks,
    with_lower_case_host,
)
from talelio_backend.shared.presentation.url_converters import IdConverter
from talelio_backend.shared.rate_limits.presentation.rate_limiting import add_rate_limit_headers

# Bytes. JSON escapes can make a project's 256 KiB of text six times as long.
MAXIMUM_BODY = 2 * 1024 * 1024

# Besides CORS-safelisted headers.
_ALLOWED_HEADERS = [
    'Accept', 'Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-Modified-Since',
    'If-None-Match', 'If-Unmodified-Since', 'X-Request-ID'
]
_EXPOSED_HEADERS = [
    'ETag', 'Idempotency-Replayed', 'Link', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After',
    'WWW-Authenticate', 'X-Request-ID', 'X-Total-Count'
]


def make_app(settings: Settings, public: PublicData, metrics: RequestMetrics) -> Flask:
    """Return an application without routes, with everything that all routes share."""
    app = Flask('talelio_backend', static_folder=None)
    app.config['MAX_CONTENT_LENGTH'] = MAXIMUM_BODY
    app.config['TRUSTED_HOSTS'] = settings.served_hosts
    app.wsgi_app = metrics.while_in_progress(app.wsgi_app)  # type: ignore[method-assign, assignment]
    if settings.cache_memory:
        app.wsgi_app = ResponseCache(  # type: ignore[method-assign]
            app.wsgi_app,
            public,
            memory=settings.cache_memory * 1024 * 1024,
            origins=settings.cors_origins,
            on_size_change=metrics.cache_bytes.set,
        )
    app.wsgi_app = with_lower_case_host(app.wsgi_app)  # type: ignore[method-assign, assignment]
    app.wsgi_app = ForwardedFor(  # type: ignore[method-assign]
        app.wsgi_app, settings.trusted_proxies, hops=settings.proxy_hops
    )
    # The redirect for a doubled slash would lose a POST's body.
    app.url_map.merge_slashes = False
    app.url_map.converters['id'] = IdConverter
    add_request_log(app)
    add_target_checks(app)
    # Before CORS: Flask calls these handlers in reverse order.
    add_response_finalizer(app)
    add_error_handlers(app)
    add_rate_limit_headers(app)
    CORS(
        app,
        origins=list(settings.cors_origins),
        supports_credentials=True,
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        max_age=600,
    )
    return app
