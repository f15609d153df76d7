from collections.abc import Collection, Sequence
from dataclasses import dataclass

from talelio_backend.app_asset.business.image import Image, parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore


@dataclass(frozen=True, kw_only=True)
class ResponsiveImage:
    """The size of the image at a URL, and the sources for a `srcset`."""

    # In pixels.
    width: int
    height: int
    # URLs and widths of the versions that are no wider, the narrowest first.
    sources: Sequence[tuple[str, int]]


def key_of(store: ImageStore, url: str) -> str | None:
    """Return the key of an image or variant, or None if the URL is not one of the store."""
    base = store.url('')
    key = url.removeprefix(base)
    return key if url.startswith(base) and parse_key(key) is not None else None


def is_own_image(store: ImageStore, url: str) -> bool:
    return key_of(store, url) is not None


def find_images(uow: AssetUnitOfWork, store: ImageStore, urls: Collection[str]) -> dict[str, ResponsiveImage]:
    """Return the images by URL; leave out URLs that belong to no image."""
    keys = {url: key for url in urls if (key := key_of(store, url)) is not None}
    wanted = {parsed for key in keys.values() if (parsed := parse_key(key)) is not None}
    if not wanted:
        return {}
    with uow:
        images = {(image.user_id, image.name): image for image in uow.images.with_names(wanted)}
    found = {}
    for url, key in keys.items():
        image = images.get(parse_key(key) or (0, ''))
        if image is not None and (responsive := _responsive(store, image, key)):
            found[url] = responsive
    return found


def _responsive(store: ImageStore, image: Image, key: str) -> ResponsiveImage | None:
    """Return None if the image has no such variant."""
    widths = {image.variant_key(width): width for width in sorted(image.variant_widths)}
    widths[image.key] = image.width
    width = widths.get(key)
    if width is None:
        return None
    return ResponsiveImage(
        width=width,
        height=max(1, round(image.height * width / image.width)),
        sources=[(store.url(each), narrower) for each, narrower in widths.items() if narrower <= width],
    )
