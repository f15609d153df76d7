from collections.abc import Collection, Sequence
from dataclasses import dataclass

from talelio_backend.app_asset.business.image import Image, parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore


@dataclass(frozen=True, kw_only=True)
class AddressedImage:
    """What a page can know of the picture at an address."""

    # In pixels.
    width: int
    height: int
    # The addresses of the same picture at this width and below, and their widths; the narrowest first.
    sources: Sequence[tuple[str, int]]


def key_of(store: ImageStore, url: str) -> str | None:
    """Return the key of a stored picture or variant, or None for what is at no address of the store's."""
    base = store.url('')
    key = url.removeprefix(base)
    return key if url.startswith(base) and parse_key(key) is not None else None


def is_own_image(store: ImageStore, url: str) -> bool:
    """Whether it is the address of a picture that was uploaded here."""
    return key_of(store, url) is not None


def find_images(uow: AssetUnitOfWork, store: ImageStore, urls: Collection[str]) -> dict[str, AddressedImage]:
    """Return, by URL, what is known of those that are anybody's pictures or variants."""
    keys = {url: key for url in urls if (key := key_of(store, url)) is not None}
    wanted = {parsed for key in keys.values() if (parsed := parse_key(key)) is not None}
    if not wanted:
        return {}
    with uow:
        images = {(image.user_id, image.name): image for image in uow.images.with_names(wanted)}
    found = {}
    for url, key in keys.items():
        image = images.get(parse_key(key) or (0, ''))
        addressed = None if image is None else _addressed(store, image, key)
        if addressed is not None:
            found[url] = addressed
    return found


def _addressed(store: ImageStore, image: Image, key: str) -> AddressedImage | None:
    """Return None for a width that the image does not have."""
    widths = {image.variant_key(width): width for width in sorted(image.variant_widths)}
    widths[image.key] = image.width
    width = widths.get(key)
    if width is None:
        return None
    return AddressedImage(
        width=width,
        height=max(1, round(image.height * width / image.width)),
        sources=[(store.url(each), narrower) for each, narrower in widths.items() if narrower <= width],
    )
