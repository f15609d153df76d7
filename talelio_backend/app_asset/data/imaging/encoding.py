"""Encodes images for storage without any metadata but their colour profile."""

from io import BytesIO
from typing import Any

# Importing a plugin registers its saver with Image.save.
from PIL import AvifImagePlugin as _  # noqa: F401
from PIL import Image
from PIL import WebPImagePlugin as __  # noqa: F401

from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.source import SourceKind

# The encoders of AVIF, and of WebP with alpha or without loss, need about 23 bytes a pixel beside the
# pixels. At this size the worker peaks at 325 MB, as it does for the largest images of other kinds.
COSTLY_PIXELS = 10_000_000

# All measured with 12 megapixels. Higher levels take three times as long and save nothing.
PNG_OPTIONS = {'compress_level': 4}
# Method 4 takes twice as long and saves 5 %. Method 0 fails for large images and does not compress alpha.
WEBP_OPTIONS = {'quality': 90, 'method': 2}
# For lossless WebP, quality means effort, which gains nothing. Method 0 triples the size of drawings.
LOSSLESS_WEBP_OPTIONS = {'lossless': True, 'quality': 0, 'method': 1}
# Speed 8 takes twice as long for larger files; speed 6 takes six times as long and saves 15 %.
AVIF_OPTIONS = {'quality': 80, 'speed': 9, 'max_threads': 1, 'autotiling': False}
JPEG_OPTIONS = {'quality': 90}


def encode(image: Image.Image, kind: ImageKind, profile: bytes | None, **options: Any) -> bytes:
    """Encode with options of Pillow's saver."""
    file = BytesIO()
    # Without an explicit None, some savers take the profile from the image.
    image.save(file, kind.name, icc_profile=profile, **options)
    return file.getvalue()


def encode_for_storage(image: Image.Image, kind: SourceKind, profile: bytes | None,
                       options: dict[str, Any]) -> tuple[ImageKind, bytes]:
    """Keep the kind of the source where possible; otherwise choose one of the same quality."""
    has_alpha = image.mode in ('LA', 'RGBA')
    lossless = options.get('lossless', False)
    match kind:
        case SourceKind.JPEG:
            return ImageKind.JPEG, _encode_jpeg(image, profile, options)
        case SourceKind.WEBP:
            wanted, options = ImageKind.WEBP, LOSSLESS_WEBP_OPTIONS if lossless else WEBP_OPTIONS
        case SourceKind.HEIC if has_alpha:
            wanted, options = ImageKind.WEBP, WEBP_OPTIONS
        case SourceKind.HEIC:
            wanted, options = ImageKind.JPEG, JPEG_OPTIONS
        case SourceKind.AVIF:
            wanted, options = ImageKind.AVIF, AVIF_OPTIONS
        case _:
            wanted, options = ImageKind.PNG, PNG_OPTIONS
    costly = wanted is ImageKind.AVIF or wanted is ImageKind.WEBP and (lossless or has_alpha)
    if not costly or image.width * image.height <= COSTLY_PIXELS:
        try:
            return wanted, encode(image, wanted, profile, **options)
        except (OSError, ValueError):
            # WebP is limited to 16383 pixels a side and to 512 KiB of prediction data.
            pass
    if lossless or has_alpha:
        return ImageKind.PNG, encode(image, ImageKind.PNG, profile, **PNG_OPTIONS)
    return ImageKind.JPEG, encode(image, ImageKind.JPEG, profile, **JPEG_OPTIONS)


def _encode_jpeg(image: Image.Image, profile: bytes | None, options: dict[str, Any]) -> bytes:
    try:
        return encode(image, ImageKind.JPEG, profile, **options)
    except OSError:
        # Pillow's buffer is too small for a progressive JPEG of noise at the highest quality.
        return encode(image, ImageKind.JPEG, profile, **options | {'progressive': False})
