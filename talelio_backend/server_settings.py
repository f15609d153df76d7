from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from talelio_backend.environment import EnvironmentReader


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How the API is served, whatever it serves."""

    host: str
    port: int
    # Worker processes.
    web_concurrency: int
    # After about so many a worker process is replaced; 0 stands for never.
    max_requests: int
    # Seconds that a client may be silent in the middle of a request, or take nothing of its answer.
    client_timeout: int
    # Seconds between SIGTERM and the end, in which readiness fails and requests are still served.
    drain_seconds: int
    # Host names that a request may come under, beside the API's own and the machine's.
    trusted_hosts: tuple[str, ...]
    # Whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    # Proxies in a row before the API, each of which appends to X-Forwarded-For.
    proxy_hops: int
    # Where Prometheus is told what it asks for; None stands for nowhere.
    metrics_address: tuple[str, int] | None
    # The collector that is sent traces; None stands for nobody.
    traces_endpoint: str | None
    # Bytes of answers that a worker process keeps; 0 stands for none.
    cache_memory: int

    @classmethod
    def read(cls, reader: EnvironmentReader, *, drain_seconds: int) -> Self:
        """`drain_seconds` is the default."""
        return cls(
            host=reader.text('HOST', '127.0.0.1'),
            port=reader.integer('PORT', default=5000, low=0, high=65535),
            web_concurrency=reader.integer('WEB_CONCURRENCY', default=2, low=1, high=64),
            max_requests=reader.integer('MAX_REQUESTS', default=20_000, low=0, high=1_000_000_000),
            client_timeout=reader.integer('CLIENT_TIMEOUT', default=30, low=1, high=3600),
            drain_seconds=reader.integer('DRAIN_SECONDS', default=drain_seconds, low=0, high=600),
            trusted_hosts=reader.host_names('TRUSTED_HOSTS'),
            trusted_proxies=reader.networks('TRUSTED_PROXIES'),
            proxy_hops=reader.integer('PROXY_HOPS', default=1, low=1, high=10),
            metrics_address=reader.address('METRICS_ADDRESS'),
            traces_endpoint=_traces_endpoint(reader),
            cache_memory=reader.integer('CACHE_MEMORY', default=16, low=0, high=4096) * 1024 * 1024,
        )


def _traces_endpoint(reader: EnvironmentReader) -> str | None:
    # The name is OpenTelemetry's.
    name = 'OTEL_EXPORTER_OTLP_ENDPOINT'
    endpoint = reader.url(name)
    if endpoint is not None and not _can_trace():
        reader.complain(name, "needs packages that are not installed: the part 'tracing' of Pipfile.lock")
    return endpoint


def _can_trace() -> bool:
    try:
        return all(find_spec(f'opentelemetry.{part}') for part in ('sdk.trace', 'exporter.otlp.proto.http'))
    except ModuleNotFoundError:
        # Not even what it is a part of.
        return False
