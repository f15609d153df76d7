from io import BytesIO
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from talelio_backend.app_asset.data.image_source import Source, SourceKind, exif_orientation


class _Jpeg(JpegImageFile):

    def _read_dpi_from_exif(self) -> None:
        """Do without, since a fault in there would refuse the picture."""


def open_jpeg(content: bytes) -> Source:
    image = _Jpeg(BytesIO(content))

    def decode(source: Source) -> Image.Image:
        image.load()
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
