"""Reads AVIF and HEIC files, and makes animated ones of the former anew."""

from io import BytesIO

from PIL import Image, _avif
from PIL.AvifImagePlugin import AvifImageFile

from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.image_encoding import AVIF_STYLE, encoded
from talelio_backend.app_asset.data.image_source import Source, SourceKind, opaque_if_so


def open_avif(content: bytes) -> Source:
    # Any more threads would take stacks and no less time, when the cores have others to serve.
    # pylint: disable-next=c-extension-no-member
    decoder = _avif.AvifDecoder(content, 'auto', 1)
    (width, height), frames, mode, profile, _, orientation, _ = decoder.get_info()

    def decode(_source: Source) -> Image.Image:
        nonlocal decoder
        pixels = decoder.get_frame(0)[0]
        del decoder
        return opaque_if_so(Image.frombuffer(mode, (width, height), pixels, 'raw', mode, 0, 1))

    source = Source(
        kind=SourceKind.AVIF,
        width=width,
        height=height,
        frames=frames,
        decode=decode,
        profile=profile,
        orientation=orientation
    )
    if frames > 1:
        source.remake = lambda profile: _remade_avif(content, profile)
    return source


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
        kind=SourceKind.HEIC, width=width, height=height, decode=decode, profile=file.info.get('icc_profile')
    )


def _remade_avif(content: bytes, profile: bytes | None) -> bytes:
    """Frames are stored as changes of others, so these alone are decoded and encoded as a whole."""
    image = AvifImageFile(BytesIO(content))
    durations = []
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        durations.append(image.info['duration'])
    image.seek(0)
    return encoded(image, ImageKind.AVIF, profile, save_all=True, duration=durations, **AVIF_STYLE)
