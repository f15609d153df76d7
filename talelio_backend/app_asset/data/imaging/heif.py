"""Reads AVIF and HEIC files. Of an animated one only the first frame is taken."""

import struct

from PIL import Image, _avif

from talelio_backend.app_asset.data.imaging.profile import profile_by_code
from talelio_backend.app_asset.data.imaging.source import Source, SourceKind, opaque_if_so

# The property of a picture that says its colours by count (ISO/IEC 23008-12): primaries, transfer.
_COLOUR_CODES = b'colrnclx'


def open_avif(content: bytes) -> Source:
    # Any more threads would take stacks and no less time, when the cores have others to serve.
    # pylint: disable-next=c-extension-no-member
    decoder = _avif.AvifDecoder(content, 'auto', 1)
    (width, height), _, mode, profile, _, orientation, _ = decoder.get_info()

    def decode(_source: Source) -> Image.Image:
        nonlocal decoder
        pixels = decoder.get_frame(0)[0]
        del decoder
        return opaque_if_so(Image.frombuffer(mode, (width, height), pixels, 'raw', mode, 0, 1))

    return Source(
        kind=SourceKind.AVIF,
        width=width,
        height=height,
        decode=decode,
        profile=profile or _profile_by_code(content),
        orientation=orientation
    )


def open_heic(content: bytes) -> Source:
    # Of 5 MB, which a server that never sees such a picture need not hold.
    # pylint: disable-next=import-outside-toplevel
    import pi_heif  # type: ignore[import-untyped]

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    file = pi_heif.open_heif(content, convert_hdr_to_8bit=True)
    width, height = file.size

    def decode(_source: Source) -> Image.Image:
        nonlocal file
        image = file.to_pillow()
        del file
        # It is upright, and as large as the header says: libheif sees to that.
        return opaque_if_so(image)

    return Source(
        kind=SourceKind.HEIC,
        width=width,
        height=height,
        decode=decode,
        profile=file.info.get('icc_profile') or _profile_by_code(content)
    )


def _profile_by_code(content: bytes) -> bytes | None:
    """Pillow does not say the codes. Properties come before all pixels, the picture's own first."""
    start = content.find(_COLOUR_CODES) + len(_COLOUR_CODES)
    return profile_by_code(*struct.unpack_from('>HH', content, start)) if _COLOUR_CODES in content else None
