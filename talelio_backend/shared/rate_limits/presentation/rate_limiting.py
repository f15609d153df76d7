"""Applies rate limits to use cases and adds the RateLimit headers.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
"""
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask, Response, g

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.rate_limits.business.limiter import (
    Admission,
    RateLimiter,
    RateLimitStatus,
    Refused,
)
from talelio_backend.shared.rate_limits.business.limits import Limit

_logger = logging.getLogger(__name__)


@contextmanager
def limited(limiter: RateLimiter, limit: Limit, subject: str = '') -> Iterator[None]:
    """Count the block as a try, and refund it if its outcome does not count.

    `subject` is the normalised key of the limit's subject policy. Raises Refused.
    """
    try:
        admission = limiter.admit(limit, request_actor(), subject, datetime.now(UTC))
    except Refused as refusal:
        g.rate_limit = refusal.status
        raise
    g.rate_limit = admission.status
    try:
        yield
    except BaseException as error:
        _settle(limiter, admission, error)
        raise
    _settle(limiter, admission, None)


def _settle(limiter: RateLimiter, admission: Admission, error: BaseException | None) -> None:
    try:
        limiter.settle(admission, error, datetime.now(UTC))
    except Unavailable:
        # Counting one try too many is better than hiding the outcome.
        _logger.warning('cannot refund a try: the database is not available')


def remember_network(limiter: RateLimiter, subject: str) -> None:
    """Exempt the client's network from the limits that others exhaust for the subject."""
    try:
        limiter.remember_network(request_actor(), subject, datetime.now(UTC))
    except Unavailable:
        # The use case has succeeded, so the response must not be an error.
        _logger.warning('cannot remember a network: the database is not available')


def add_rate_limit_headers(app: Flask) -> None:
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    status: RateLimitStatus | None = g.get('rate_limit')
    if status is not None:
        policy = status.policy
        window = int(policy.window.total_seconds())
        response.headers['RateLimit-Policy'] = f'"{policy.name}";q={policy.quota};w={window}'
        response.headers['RateLimit'] = f'"{policy.name}";r={status.remaining};t={status.reset}'
    return response
