"""Converts images to sRGB or keeps one of the well-known wider colour spaces.

Other profiles are not stored: an uploaded profile could hide any file. These are matrix profiles (ICC.1:2010)
with the published primaries, adapted to D50.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageCms

_FOLDER = Path(__file__).with_name('profiles')
DISPLAY_P3 = (_FOLDER / 'display_p3.icc').read_bytes()
ADOBE_RGB = (_FOLDER / 'adobe_rgb.icc').read_bytes()
# With the curve of sRGB. Images in it become sRGB.
_BT2020 = (_FOLDER / 'bt2020.icc').read_bytes()

# AVIF, HEIC and PNG use the code points of ITU-T H.273. Transfer 2 is unspecified. Browsers show the
# curves of video (1, 6, 14, 15) like the one of sRGB (13). HDR curves are not supported.
_PRIMARIES = {9: _BT2020, 12: DISPLAY_P3}
_TRANSFERS = (1, 2, 6, 13, 14, 15)


def profile_by_code(primaries: int, transfer: int) -> bytes | None:
    """Return None for sRGB and for unsupported codes."""
    return _PRIMARIES.get(primaries) if transfer in _TRANSFERS else None


_SPACES = {'L': 'GRAY', 'LA': 'GRAY', 'P': 'RGB', 'RGB': 'RGB', 'RGBA': 'RGB', 'CMYK': 'CMYK'}
_LEVELS = range(0, 256, 51)
_SAMPLES = bytes(level for r in _LEVELS for g in _LEVELS for b in _LEVELS for level in (r, g, b))


def normalize_colours(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Return the image in mode 1, L, LA, P, RGB or RGBA, and the profile to store with it (None: sRGB).

    May change an image of mode RGB or RGBA in place.
    """
    try:
        cms = ImageCms.ImageCmsProfile(BytesIO(profile)) if profile else None
        if cms and cms.profile.xcolor_space.strip() == _SPACES.get(image.mode):
            return _apply(image, cms)
    except (OSError, ValueError, ImageCms.PyCMSError):
        # The profile is malformed or does not fit the pixels.
        pass
    return (image.convert('RGB') if image.mode == 'CMYK' else image), None


def _apply(image: Image.Image, cms: ImageCms.ImageCmsProfile) -> tuple[Image.Image, bytes | None]:
    if _SPACES[image.mode] == 'RGB':
        # Most images are sRGB or Display P3. Converting their pixels takes time and loses colours.
        for known in (None, DISPLAY_P3, ADOBE_RGB):
            if _is_equivalent(cms, known):
                return image, known
    return _to_srgb(image, cms), None


def _is_equivalent(cms: ImageCms.ImageCmsProfile, known: bytes | None) -> bool:
    """Whether the profile describes the same colours as a known one (None: sRGB)."""
    other = ImageCms.ImageCmsProfile(BytesIO(known)) if known else ImageCms.createProfile('sRGB')
    # Optimizing the transform takes five times as long as applying it to these few samples.
    transform = ImageCms.buildTransform(cms, other, 'RGB', 'RGB', flags=ImageCms.Flags.NOOPTIMIZE)
    samples = Image.frombytes('RGB', (len(_SAMPLES) // 3, 1), _SAMPLES)
    converted = ImageCms.applyTransform(samples, transform)
    assert converted is not None
    # Rounding can shift a sample by one level.
    return max(ImageChops.difference(samples, converted).tobytes()) <= 1


def _to_srgb(image: Image.Image, cms: ImageCms.ImageCmsProfile) -> Image.Image:
    if image.mode in ('L', 'LA'):
        return _grey_to_srgb(image, cms)
    if image.mode == 'P':
        image = image.convert('RGBA' if image.has_transparency_data else 'RGB')
    mode = 'RGB' if image.mode == 'CMYK' else image.mode
    transform = ImageCms.buildTransform(cms, ImageCms.createProfile('sRGB'), image.mode, mode)
    return ImageCms.applyTransform(image, transform, inPlace=mode == image.mode) or image


def _grey_to_srgb(image: Image.Image, cms: ImageCms.ImageCmsProfile) -> Image.Image:
    transform = ImageCms.buildTransform(cms, ImageCms.createProfile('sRGB'), 'L', 'RGB')
    levels = ImageCms.applyTransform(Image.frombytes('L', (256, 1), bytes(range(256))), transform)
    assert levels is not None
    table = list(levels.getchannel('G').tobytes())
    # The identity table keeps the alpha channel.
    return image.point(table if image.mode == 'L' else table + list(range(256)))
