"""The hosts that the operator trusts, as the rendering process gets them."""
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Self


@dataclass(frozen=True, kw_only=True)
class TrustedHosts:
    """Host names in lower case."""

    # Of the site itself. A `*` stands for any characters.
    own: Collection[str] = ()
    # Whose pages a text may embed.
    embedded: Collection[str] = ()

    def is_own(self, host: str) -> bool:
        return any(fnmatchcase(host.lower(), pattern) for pattern in self.own)

    def may_embed(self, host: str) -> bool:
        # The sandbox of a frame does not hold pages of the same origin.
        return host.lower() in self.embedded and not self.is_own(host)

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(**json.loads(content))

    def write(self) -> bytes:
        return json.dumps({name: [*hosts] for name, hosts in asdict(self).items()}).encode()
