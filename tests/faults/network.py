"""What a network does to the connections with a part, as data."""
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.trial import Outcome
from tests.support.tcp_proxy import TcpProxy
from tests.support.ways import Delayed, Slow


@dataclass(frozen=True, kw_only=True)
class NetworkFault:
    name: str
    # `TcpProxy.forward` ends it.
    begin: Callable[[TcpProxy], None]
    outcome: Outcome


# Seconds that each piece is late.
DELAY = 0.05
# Bytes a second of a line that is bad, and still carries a request in time.
SLOW = 20_000


def delay(proxy: TcpProxy) -> None:
    proxy.go_by(Delayed(DELAY))


def slow(proxy: TcpProxy) -> None:
    proxy.go_by(Slow(SLOW))
