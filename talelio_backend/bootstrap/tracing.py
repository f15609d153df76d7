from typing import TYPE_CHECKING

from talelio_backend.settings import Settings

if TYPE_CHECKING:
    from talelio_backend.observability.tracing import Tracing


def make_tracing(settings: Settings) -> 'Tracing | None':
    if settings.traces_endpoint is None:
        return None
    # Its packages are optional and take memory.
    # pylint: disable-next=import-outside-toplevel
    from talelio_backend.observability.tracing import Tracing
    return Tracing(settings.traces_endpoint)
