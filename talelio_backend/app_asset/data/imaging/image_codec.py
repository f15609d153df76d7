"""Makes pictures anew. Runs in a child of a SandboxedWorker, since no decoder is without faults."""

from base64 import b64encode
from ctypes import CDLL

from PIL import Image, _imaging

from talelio_backend.app_asset.business.errors import ImageTooLarge, RefusedImage
from talelio_backend.app_asset.business.image import (
    AVATAR_WIDTH,
    VARIANT_WIDTHS,
    ImageKind,
    ProcessedImage,
    ProcessedVariant,
)
from talelio_backend.app_asset.data.imaging.colour import in_stored_colours
from talelio_backend.app_asset.data.imaging.encoding import encoded, stored
from talelio_backend.app_asset.data.imaging.opening import open_source
from talelio_backend.app_asset.data.imaging.protocol import (
    PLACEHOLDER_LENGTH,
    ImageLimits,
    pack_prepared,
    pack_refusal,
    unpack_request,
)
from talelio_backend.app_asset.data.imaging.source import decoding, upright_pixels

# The largest side of a placeholder, in pixels.
_PLACEHOLDER_SIDE = 24
_LANCZOS = Image.Resampling.LANCZOS
_VARIANT_STYLE = {'quality': 80, 'method': 2}
_AVATAR_STYLE = {'quality': 85, 'method': 4}
_LARGEST_WEBP_SIDE = 16383
_MOST_GROWTH = 3

# In larger blocks than any that malloc keeps for itself, a picture's memory goes back when it is freed.
# pylint: disable-next=c-extension-no-member
_imaging.set_block_size(64 * 1024 * 1024)

# Where there is one: in glibc.
_give_memory_back = getattr(CDLL(None), 'malloc_trim', None)


def run(request: bytes) -> bytes:
    task, content, limits = unpack_request(request)
    try:
        return pack_prepared({'prepare': prepare, 'prepare_avatar': prepare_avatar}[task](content, limits))
    except RefusedImage as error:
        return pack_refusal(error)
    finally:
        # The encoders' small pieces would make an idle child one of 90 MB instead of 30.
        if _give_memory_back:
            _give_memory_back(0)


def prepare(content: bytes, limits: ImageLimits) -> ProcessedImage:
    source = open_source(content, limits)
    image, profile = in_stored_colours(upright_pixels(source), source.profile)
    width, height = image.size
    if source.remake:
        with decoding():
            kind, made = ImageKind[source.kind.name], source.remake(profile)
    else:
        kind, made = stored(image, source.kind, profile, source.style)
    most = _MOST_GROWTH * limits.bytes
    if len(made) > most:
        # What is small in its own kind alone can be a hundred megabytes in another.
        raise ImageTooLarge.over(len(made), most, 'bytes when stored')
    # Five smaller animations would take more time than the one, and a still is no variant of it.
    widths = [each for each in VARIANT_WIDTHS if each <= width] if source.frames == 1 else []
    image = _smooth(image)
    variants = []
    for each in sorted(widths, reverse=True):
        # Each from the one before: that much less to look at.
        image = image.resize((each, _scaled(height, each, width)), _LANCZOS)
        if image.height <= _LARGEST_WEBP_SIDE:
            made_variant = encoded(image, ImageKind.WEBP, profile, **_VARIANT_STYLE)
            variants.append(ProcessedVariant(width=each, content=made_variant))
    return ProcessedImage(
        kind=kind,
        width=width,
        height=height,
        content=made,
        variants=tuple(reversed(variants)),
        placeholder=_placeholder(image)
    )


def prepare_avatar(content: bytes, limits: ImageLimits) -> ProcessedImage:
    source = open_source(content, limits)
    image, profile = in_stored_colours(upright_pixels(source), source.profile)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = (left, top, left + side, top + side)
    image = _smooth(image.crop(square)).resize((AVATAR_WIDTH, AVATAR_WIDTH), _LANCZOS)
    return ProcessedImage(
        kind=ImageKind.WEBP,
        width=AVATAR_WIDTH,
        height=AVATAR_WIDTH,
        content=encoded(image, ImageKind.WEBP, profile, **_AVATAR_STYLE),
        variants=(),
        placeholder=_placeholder(image)
    )


def _smooth(image: Image.Image) -> Image.Image:
    """Return it in a mode whose pixels can be mixed."""
    if image.mode in ('P', 'LA'):
        return image.convert('RGBA' if image.has_transparency_data else 'RGB')
    return image.convert('L') if image.mode == '1' else image


def _scaled(length: int, numerator: int, denominator: int) -> int:
    return max(1, round(length * numerator / denominator))


def _placeholder(image: Image.Image) -> str:
    side = _PLACEHOLDER_SIDE
    while True:
        largest = max(image.size)
        small = image.resize((_scaled(image.width, side, largest), _scaled(image.height, side, largest)),
                             _LANCZOS)
        # Its colours need not be right, and a profile would be most of it.
        made = b64encode(encoded(small, ImageKind.WEBP, None, quality=40, alpha_quality=40, method=6))
        uri = f'data:image/webp;base64,{made.decode()}'
        if len(uri) <= PLACEHOLDER_LENGTH:
            return uri
        side //= 2
