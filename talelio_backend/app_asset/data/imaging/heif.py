"""Reads AVIF and HEIC files. Keeps only the first frame of an animation."""

import struct

from PIL import Image, _avif

from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.colour import profile_by_code
from talelio_backend.app_asset.data.imaging.source import Source, drop_opaque_alpha

# The property that describes colours by code points (ISO/IEC 23008-12): primaries, transfer.
_COLOUR_CODES = b'colrnclx'


def open_avif(content: bytes) -> Source:
    # More threads would take memory for their stacks and save no time on a busy machine.
    # pylint: disable-next=c-extension-no-member
    decoder = _avif.AvifDecoder(content, 'auto', 1)
    (width, height), _, mode, profile, _, orientation, _ = decoder.get_info()

    def decode(_source: Source) -> Image.Image:
        nonlocal decoder
        pixels = decoder.get_frame(0)[0]
        del decoder
        return drop_opaque_alpha(Image.frombuffer(mode, (width, height), pixels, 'raw', mode, 0, 1))

    return Source(
        kind=ImageKind.AVIF,
        width=width,
        height=height,
        decode=decode,
        profile=profile or _profile_by_code(content),
        orientation=orientation
    )


def open_heic(content: bytes) -> Source:
    # Importing it here saves 5 MB in a worker that never sees a HEIC file.
    # pylint: disable-next=import-outside-toplevel
    import pi_heif  # type: ignore[import-untyped]

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    file = pi_heif.open_heif(content, convert_hdr_to_8bit=True)
    width, height = file.size

    def decode(source: Source) -> Image.Image:
        nonlocal file
        # libheif has rotated it and checked its size.
        image = drop_opaque_alpha(file.to_pillow())
        del file
        if image.mode == 'RGBA':
            source.kind = ImageKind.WEBP
        return image

    return Source(
        kind=ImageKind.JPEG,
        width=width,
        height=height,
        decode=decode,
        profile=file.info.get('icc_profile') or _profile_by_code(content)
    )


def _profile_by_code(content: bytes) -> bytes | None:
    """Find the codes, which Pillow does not expose. The image's own come first in the file."""
    start = content.find(_COLOUR_CODES) + len(_COLOUR_CODES)
    return profile_by_code(*struct.unpack_from('>HH', content, start)) if _COLOUR_CODES in content else None
