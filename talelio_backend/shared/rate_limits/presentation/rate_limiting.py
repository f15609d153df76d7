"""Limits in front of a use case, and the headers that tell a client how it stands.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
"""
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask, Response, g

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.rate_limits.business.limiter import RateLimiter, RateLimitStatus, Refused, Ticket
from talelio_backend.shared.rate_limits.business.limits import Limit

_logger = logging.getLogger(__name__)


@contextmanager
def limited(limiter: RateLimiter, limit: Limit, subject: str = '') -> Iterator[None]:
    """Count what is tried in the block, unless its end says that it does not count.

    `subject` is what the limit counts by beside the network, in one spelling. Raises Refused.
    """
    try:
        ticket = limiter.admit(limit, request_actor(), subject, datetime.now(UTC))
    except Refused as refusal:
        g.rate_limit = refusal.status
        raise
    g.rate_limit = ticket.status
    try:
        yield
    except BaseException as error:
        _settle(limiter, ticket, error)
        raise
    _settle(limiter, ticket, None)


def _settle(limiter: RateLimiter, ticket: Ticket, error: BaseException | None) -> None:
    try:
        limiter.settle(ticket, error, datetime.now(UTC))
    except Unavailable:
        # The try has ended as it has; that one too many is counted does less harm than to deny it.
        _logger.warning('a try stays counted, as the database is not available')


def remember_network(limiter: RateLimiter, subject: str) -> None:
    """Let the client's network in to the subject's account while others are guessing at it."""
    try:
        limiter.remember_network(request_actor(), subject, datetime.now(UTC))
    except Unavailable:
        # What has shown who they are is done, and must not be answered as if it were not.
        _logger.warning('a network was not noted as known, as the database is not available')


def add_rate_limit_headers(app: Flask) -> None:
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    status: RateLimitStatus | None = g.get('rate_limit')
    if status is not None:
        policy = status.policy
        window = int(policy.window.total_seconds())
        response.headers['RateLimit-Policy'] = f'"{policy.name}";q={policy.quota};w={window}'
        response.headers['RateLimit'] = f'"{policy.name}";r={status.remaining};t={status.reset}'
    return response
