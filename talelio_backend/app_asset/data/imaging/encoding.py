"""A picture as it is stored: encoded anew, with nothing but its pixels and their profile."""

from io import BytesIO
from typing import Any

# Each makes its saver known to Image.save.
from PIL import AvifImagePlugin as _  # noqa: F401
from PIL import Image
from PIL import WebPImagePlugin as __  # noqa: F401

from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.source import SourceKind

# The encoders of AVIF, and of WebP where it is lossless or has alpha, take some 23 bytes a pixel
# beside the pixels. With this many the child takes 325 MB, as it does for the largest of other kinds.
COSTLY_PIXELS = 10_000_000

# Measured for 12 megapixels: a higher level takes three times as long for files that are no smaller.
PNG_STYLE = {'compress_level': 4}
# A method of 4 takes twice as long for files 5 % smaller. Of 0 it fails for large pictures, and
# leaves alpha uncompressed.
WEBP_STYLE = {'quality': 90, 'method': 2}
# Here the quality is the effort, and more of it is in vain. A method of 0 makes drawings thrice as large.
LOSSLESS_WEBP_STYLE = {'lossless': True, 'quality': 0, 'method': 1}
# A speed of 8 takes twice as long for files that are larger, of 6 six times as long for 15 %.
AVIF_STYLE = {'quality': 80, 'speed': 9, 'max_threads': 1, 'autotiling': False}
JPEG_STYLE = {'quality': 90}


def encoded(image: Image.Image, kind: ImageKind, profile: bytes | None, **style: Any) -> bytes:
    """`style` is arguments of Pillow's saver."""
    file = BytesIO()
    # Unless they are told that there is no profile, some savers look for one in the image.
    image.save(file, kind.name, icc_profile=profile, **style)
    return file.getvalue()


def stored(image: Image.Image, kind: SourceKind, profile: bytes | None,
           style: dict[str, Any]) -> tuple[ImageKind, bytes]:
    """Encode as the kind that it came as, or as one as good where that cannot be."""
    has_alpha = image.mode in ('LA', 'RGBA')
    lossless = style.get('lossless', False)
    match kind:
        case SourceKind.JPEG:
            return ImageKind.JPEG, _jpeg(image, profile, style)
        case SourceKind.WEBP if lossless:
            wanted, style = ImageKind.WEBP, LOSSLESS_WEBP_STYLE
        case SourceKind.WEBP:
            wanted, style = ImageKind.WEBP, WEBP_STYLE
        case SourceKind.HEIC if has_alpha:
            wanted, style = ImageKind.WEBP, WEBP_STYLE
        case SourceKind.HEIC:
            wanted, style = ImageKind.JPEG, JPEG_STYLE
        case SourceKind.AVIF:
            wanted, style = ImageKind.AVIF, AVIF_STYLE
        case _:
            wanted, style = ImageKind.PNG, PNG_STYLE
    costly = wanted is ImageKind.AVIF or wanted is ImageKind.WEBP and (lossless or has_alpha)
    if not costly or image.width * image.height <= COSTLY_PIXELS:
        try:
            return wanted, encoded(image, wanted, profile, **style)
        except (OSError, ValueError):
            # WebP has no more than 16383 pixels a side, and half a megabyte for how blocks are predicted.
            pass
    if lossless or has_alpha:
        return ImageKind.PNG, encoded(image, ImageKind.PNG, profile, **PNG_STYLE)
    return ImageKind.JPEG, encoded(image, ImageKind.JPEG, profile, **JPEG_STYLE)


def _jpeg(image: Image.Image, profile: bytes | None, style: dict[str, Any]) -> bytes:
    try:
        return encoded(image, ImageKind.JPEG, profile, **style)
    except OSError:
        # What Pillow sets aside for a progressive one is too little for noise in best quality.
        return encoded(image, ImageKind.JPEG, profile, **style | {'progressive': False})
