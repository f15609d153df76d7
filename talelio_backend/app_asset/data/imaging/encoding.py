"""Encodes images for storage without any metadata but their colour profile."""

from io import BytesIO
from typing import Any

# Importing a plugin registers its saver with Image.save.
from PIL import AvifImagePlugin as _  # noqa: F401
from PIL import Image
from PIL import WebPImagePlugin as __  # noqa: F401

from talelio_backend.app_asset.business.image import ImageKind

# The encoders of AVIF, and of WebP with alpha or without loss, need about 23 bytes a pixel beside the
# pixels. At this size the worker peaks at 325 MB, as it does for the largest images of other kinds.
COSTLY_PIXELS = 10_000_000

# All measured with 12 megapixels.
OPTIONS: dict[ImageKind, dict[str, Any]] = {
    ImageKind.JPEG: {
        'quality': 90
    },
    # Higher levels take three times as long and save nothing.
    ImageKind.PNG: {
        'compress_level': 4
    },
    # Method 4 takes twice as long and saves 5 %. Method 0 fails for large images and does not compress alpha.
    ImageKind.WEBP: {
        'quality': 90,
        'method': 2
    },
    # Speed 8 takes twice as long for larger files; speed 6 takes six times as long and saves 15 %.
    ImageKind.AVIF: {
        'quality': 80,
        'speed': 9,
        'max_threads': 1,
        'autotiling': False
    },
}
# For lossless WebP, quality means effort, which gains nothing. Method 0 triples the size of drawings.
LOSSLESS_WEBP_OPTIONS = {'lossless': True, 'quality': 0, 'method': 1}


def encode(image: Image.Image, kind: ImageKind, profile: bytes | None, **options: Any) -> bytes:
    """Encode with options of Pillow's saver."""
    file = BytesIO()
    # Without an explicit None, some savers take the profile from the image.
    image.save(file, kind.name, icc_profile=profile, **options)
    return file.getvalue()


def encode_for_storage(image: Image.Image, kind: ImageKind, profile: bytes | None,
                       options: dict[str, Any]) -> tuple[ImageKind, bytes]:
    """Keep the kind of the source where possible; otherwise choose one of the same quality."""
    has_alpha = image.mode in ('LA', 'RGBA')
    lossless = options.get('lossless', False)
    costly = kind is ImageKind.AVIF or kind is ImageKind.WEBP and (lossless or has_alpha)
    if not costly or image.width * image.height <= COSTLY_PIXELS:
        try:
            return kind, encode(image, kind, profile, **options or OPTIONS[kind])
        except (OSError, ValueError):
            # WebP is limited to 16383 pixels a side and to 512 KiB of prediction data. Pillow's buffer is too
            # small for a progressive JPEG of noise at the highest quality.
            pass
    if kind is ImageKind.JPEG:
        return kind, encode(image, kind, profile, **options | {'progressive': False})
    kind = ImageKind.PNG if lossless or has_alpha else ImageKind.JPEG
    return kind, encode(image, kind, profile, **OPTIONS[kind])
