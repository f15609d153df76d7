from importlib.util import find_spec
from typing import Annotated

from pydantic import Field, IPvAnyNetwork, field_validator

from talelio_backend.settings.values import COMMA_SEPARATED, HostName, ListenAddress, SettingsGroup, Url

# Threads per worker process: up to eight hash passwords, eight render texts and eight upload (or wait for
# it), and eight are left for requests that only read.
THREADS = 32


class ServerSettings(SettingsGroup):
    """How the API is served."""

    host: str = '127.0.0.1'
    """The address that the API listens on."""
    port: int = Field(5000, ge=0, le=65535)
    """The port that the API listens on."""
    trusted_hosts: Annotated[tuple[HostName, ...], COMMA_SEPARATED] = Field((), examples=['api.internal'])
    """Host names to serve besides that of `API_BASE_URL`, `localhost` and `127.0.0.1`, separated by commas.
    Requests for any other host get a 400."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], COMMA_SEPARATED] = \
        Field((), examples=['172.18.0.0/16'])
    """Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed,
    separated by commas. All clients behind any other proxy count as one."""
    proxy_hops: int = Field(1, ge=1, le=10)
    """How many proxies a request passes through before it reaches the API."""
    web_concurrency: int = Field(2, ge=1, le=64)
    """Worker processes. Each serves 32 requests at once over 13 database connections."""
    cache_memory: int = Field(16, ge=0, le=4096)
    """MiB of responses that each worker process caches; 0 turns the cache off."""
    client_timeout: int = Field(30, ge=1, le=3600)
    """Seconds that a client may stay silent in the body of a request or in the middle of its response."""
    keep_alive: int = Field(5, ge=1, le=600)
    """Seconds that an idle connection is kept. Behind a load balancer, set more than its idle time-out:
    otherwise it may send a request into a connection that is being closed."""
    max_requests: int = Field(20_000, ge=0, le=1_000_000_000)
    """About how many requests a worker process serves before it is replaced, unless it is the only one; 0
    never replaces it."""
    drain_seconds: int = Field(10, ge=0, le=600, examples=['10'])
    """Seconds between SIGTERM and the end, during which readiness fails and requests are still served; by
    default 10 in production and 0 elsewhere."""
    metrics_address: ListenAddress | None = Field(None, examples=['127.0.0.1:9100'])
    """The IP address and port that serve metrics to Prometheus. Keep them out of the public's reach."""
    traces_endpoint: Url | None = \
        Field(None, alias='OTEL_EXPORTER_OTLP_ENDPOINT', examples=['http://localhost:4318'])
    """An OpenTelemetry collector that receives traces over HTTP, without `/v1/traces`. It needs the packages
    of `[tracing]` in `Pipfile`."""

    @field_validator('traces_endpoint')
    @classmethod
    def _requires_packages(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not _can_trace():
            raise ValueError("needs packages that are not installed: the part 'tracing' of Pipfile.lock")
        return endpoint


def _can_trace() -> bool:
    try:
        return all(find_spec(f'opentelemetry.{part}') for part in ('sdk.trace', 'exporter.otlp.proto.http'))
    except ModuleNotFoundError:
        # The parent package is missing.
        return False
