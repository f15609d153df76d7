import re
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from talelio_backend.app_asset.business.errors import DAMAGED, InvalidImageType
from talelio_backend.app_asset.data.imaging.source import Source, SourceKind, exif_orientation

# The head of a scan: its channels with their tables, then the first and last coefficient and their bits.
_SCAN = re.compile(rb'\xff\xda\0(?:\x08\x01.{2}|\x0a\x02.{4}|\x0c\x03.{6}|\x0e\x04.{8}).{3}', re.DOTALL)


class _Jpeg(JpegImageFile):

    def _read_dpi_from_exif(self) -> None:
        """Do without, since a fault in there would refuse the picture."""


def open_jpeg(content: bytes) -> Source:
    image = _Jpeg(BytesIO(content))
    if len(image.layer) != image.layers:
        # Pillow looked for the first scan in a damaged MPO and read the header of its second picture, too.
        raise InvalidImageType(DAMAGED)

    def decode(source: Source) -> Image.Image:
        nonlocal image
        with suppress(OSError):
            image.load()
        if image.tile:
            # It was cut short. Its pixels must not be in memory twice.
            del image
            image = _loaded_without_its_end(content)
        source.style = _jpeg_style(image)
        return image

    return Source(
        kind=SourceKind.JPEG,
        width=image.width,
        height=image.height,
        decode=decode,
        profile=image.info.get('icc_profile'),
        orientation=exif_orientation(image.info.get('exif', b''))
    )


def _loaded_without_its_end(content: bytes) -> _Jpeg:
    """Load one that lacks its last bytes, if they are no more than the mark of its end.

    Bytes in their place are decoded as pixels where some are missing, and else passed over. The two kinds
    differ in their first bit.
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
    """Whether each coefficient of each channel is there to its last bit."""
    missing = {(channel, number) for channel, *_ in image.layer for number in range(64)}
    for mark in _SCAN.finditer(content):
        *channels, first, last, bits = mark[0][5:-3:2] + mark[0][-3:]
        if bits & 0x0f == 0:
            missing -= {(channel, number) for channel in channels for number in range(first, last + 1)}
    return not missing


def _jpeg_style(image: JpegImageFile) -> dict[str, Any]:
    """Return what makes a JPEG as good, and about as large, as this one."""
    style: dict[str, Any] = {'progressive': bool(image.info.get('progressive'))}
    plain = style | {'quality': 95, 'subsampling': 0}
    if image.mode == 'CMYK':
        # It will be in other colours.
        return plain
    try:
        # One for each channel, for that is how the encoder takes them.
        style['qtables'] = [image.quantization[table] for _, _, _, table in image.layer]
    except KeyError:
        return plain
    sampling = get_sampling(image)
    # None at all for those that the encoder cannot make.
    return style | {'subsampling': sampling if sampling >= 0 else 0}
