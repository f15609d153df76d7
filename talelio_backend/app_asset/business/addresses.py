from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import ImageStore


def key_of(store: ImageStore, url: str) -> str | None:
    """Return the key of a stored picture or variant, or None for what is at no address of the store's."""
    base = store.url('')
    key = url.removeprefix(base)
    return key if url.startswith(base) and parse_key(key) is not None else None


def is_own_image(store: ImageStore, url: str) -> bool:
    """Whether it is the address of a picture that was uploaded here."""
    return key_of(store, url) is not None
