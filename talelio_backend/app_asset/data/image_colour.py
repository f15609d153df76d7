"""Colours that come out the same wherever the picture is seen."""

from io import BytesIO

from PIL import Image, ImageCms

# A matrix takes up to some 4 KiB. A table of colours would make each small picture a large one.
MAX_PROFILE_BYTES = 16 * 1024

_SPACES = {'L': 'GRAY', 'LA': 'GRAY', 'P': 'RGB', 'RGB': 'RGB', 'RGBA': 'RGB', 'CMYK': 'CMYK'}


def in_stored_colours(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Return the picture, of mode 1, L, LA, P, RGB or RGBA, and the profile to store with it.

    Without one it is sRGB. An image of mode RGB or RGBA may be changed in place.
    """
    opened = _opened(profile, _SPACES.get(image.mode))
    if opened is None:
        return (image.convert('RGB') if image.mode == 'CMYK' else image), None
    profile, cms = opened
    if _SPACES[image.mode] == 'RGB' and len(profile) <= MAX_PROFILE_BYTES:
        return image, profile
    try:
        return _in_srgb(image, cms), None
    except ImageCms.PyCMSError:
        return in_stored_colours(image, None)


def _opened(profile: bytes | None, space: str | None) -> tuple[bytes, ImageCms.ImageCmsProfile] | None:
    """Return the profile without what was appended, or None for one that does not fit the pixels."""
    if not profile:
        return None
    size = int.from_bytes(profile[:4])
    try:
        cms = ImageCms.ImageCmsProfile(BytesIO(profile[:size]))
        fits = size <= len(profile) and cms.profile.xcolor_space.strip() == space
    except (OSError, ValueError):
        return None
    return (profile[:size], cms) if fits else None


def _in_srgb(image: Image.Image, cms: ImageCms.ImageCmsProfile) -> Image.Image:
    if image.mode in ('L', 'LA'):
        return _grey_in_srgb(image, cms)
    if image.mode == 'P':
        image = image.convert('RGBA' if image.has_transparency_data else 'RGB')
    mode = 'RGB' if image.mode == 'CMYK' else image.mode
    transform = ImageCms.buildTransform(cms, ImageCms.createProfile('sRGB'), image.mode, mode)
    return ImageCms.applyTransform(image, transform, inPlace=mode == image.mode) or image


def _grey_in_srgb(image: Image.Image, cms: ImageCms.ImageCmsProfile) -> Image.Image:
    transform = ImageCms.buildTransform(cms, ImageCms.createProfile('sRGB'), 'L', 'RGB')
    levels = ImageCms.applyTransform(Image.frombytes('L', (256, 1), bytes(range(256))), transform)
    assert levels is not None
    table = list(levels.getchannel('G').tobytes())
    # The alpha stays as it is.
    return image.point(table if image.mode == 'L' else table + list(range(256)))
