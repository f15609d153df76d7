import re
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.source import Source, exif_orientation

# The header of a scan: channels and their tables, first and last coefficient, and bit positions.
_SCAN = re.compile(rb'\xff\xda\0(?:\x08\x01.{2}|\x0a\x02.{4}|\x0c\x03.{6}|\x0e\x04.{8}).{3}', re.DOTALL)

# Encoders make some 20 at most. Each costs the decoder a pass over all pixels, and its sender 30 bytes.
_SCANS = 100


class _Jpeg(JpegImageFile):

    def _read_dpi_from_exif(self) -> None:
        """Skip it: malformed EXIF data must not make the image unreadable."""


def open_jpeg(content: bytes) -> Source:
    scans = sum(1 for _ in _SCAN.finditer(content))
    if scans > _SCANS:
        raise ImageTooLarge.over(scans, _SCANS, 'scans')
    image = _Jpeg(BytesIO(content))
    if len(image.layer) != image.layers:
        # The first image of an MPO has no scan, and Pillow went on to the header of the second one.
        raise InvalidImageType(DAMAGED)

    def decode(source: Source) -> Image.Image:
        nonlocal image
        with suppress(OSError):
            image.load()
        if image.tile:
            # The file is truncated. Freeing the image keeps one copy of the pixels in memory.
            del image
            image = _load_without_eoi(content)
        source.options = _encoder_options(image)
        return image

    return Source(
        kind=ImageKind.JPEG,
        width=image.width,
        height=image.height,
        decode=decode,
        profile=image.info.get('icc_profile'),
        orientation=exif_orientation(image.info.get('exif', b''))
    )


def _load_without_eoi(content: bytes) -> _Jpeg:
    """Load a file that lacks nothing but its end-of-image marker; refuse it if it lacks pixels.

    The decoder reads padding as missing pixels, and otherwise skips it. Two paddings with different bits
    therefore give the same image only if no pixel is missing.
    """
    histograms = []
    for byte in (b'\0', b'\xaa'):
        image = _Jpeg(BytesIO(content.rstrip(b'\xff') + byte * 32 + b'\xff\xd9'))
        image.load()
        histograms.append(image.histogram())
    if histograms[0] != histograms[1] or not _has_all_scans(image, content):
        raise InvalidImageType(DAMAGED)
    return image


def _has_all_scans(image: JpegImageFile, content: bytes) -> bool:
    """Whether the scans contain every bit of every coefficient of every channel."""
    missing = {(channel, number) for channel, *_ in image.layer for number in range(64)}
    for mark in _SCAN.finditer(content):
        *channels, first, last, bits = mark[0][5:-3:2] + mark[0][-3:]
        if bits & 0x0f == 0:
            missing -= {(channel, number) for channel in channels for number in range(first, last + 1)}
    return not missing


def _encoder_options(image: JpegImageFile) -> dict[str, Any]:
    """Return the options that give the same quality and about the same size."""
    options: dict[str, Any] = {'progressive': bool(image.info.get('progressive'))}
    plain = options | {'quality': 95, 'subsampling': 0}
    if image.mode == 'CMYK':
        # The tables do not fit the RGB image that it becomes.
        return plain
    try:
        # The encoder takes one table for each channel.
        options['qtables'] = [image.quantization[table] for _, _, _, table in image.layer]
    except KeyError:
        return plain
    sampling = get_sampling(image)
    # The encoder does not support every subsampling; 0 is none.
    return options | {'subsampling': sampling if sampling >= 0 else 0}
