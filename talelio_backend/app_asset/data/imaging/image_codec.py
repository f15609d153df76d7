"""Re-encodes images. Runs in the child process of a SandboxedWorker, because decoders have bugs."""

from base64 import b64encode

from PIL import Image, _imaging

from talelio_backend.app_asset.business.errors import ImageTooLarge, RefusedImage
from talelio_backend.app_asset.business.image import (
    AVATAR_WIDTH,
    VARIANT_WIDTHS,
    ImageKind,
    ProcessedImage,
    ProcessedVariant,
)
from talelio_backend.app_asset.data.imaging.colour import normalize_colours
from talelio_backend.app_asset.data.imaging.encoding import encode, encode_for_storage
from talelio_backend.app_asset.data.imaging.opening import open_source
from talelio_backend.app_asset.data.imaging.protocol import (
    PLACEHOLDER_LENGTH,
    ImageLimits,
    pack_image,
    pack_refusal,
    unpack_request,
)
from talelio_backend.app_asset.data.imaging.source import decode_upright, decoding

# The largest side of a placeholder, in pixels.
_PLACEHOLDER_SIDE = 24
_LANCZOS = Image.Resampling.LANCZOS
_VARIANT_OPTIONS = {'quality': 80, 'method': 2}
_AVATAR_OPTIONS = {'quality': 85, 'method': 4}
_MAX_WEBP_SIDE = 16383
_MAX_GROWTH = 3

# malloc returns blocks of this size to the system when an image is freed.
# pylint: disable-next=c-extension-no-member
_imaging.set_block_size(64 * 1024 * 1024)


def run(request: bytes) -> bytes:
    task, content, limits = unpack_request(request)
    try:
        return pack_image({'prepare': prepare, 'prepare_avatar': prepare_avatar}[task](content, limits))
    except RefusedImage as error:
        return pack_refusal(error)


def prepare(content: bytes, limits: ImageLimits) -> ProcessedImage:
    source = open_source(content, limits)
    image, profile = normalize_colours(decode_upright(source), source.profile)
    width, height = image.size
    if source.reencode:
        with decoding():
            kind, made = source.kind, source.reencode(profile)
    else:
        kind, made = encode_for_storage(image, source.kind, profile, source.options)
    max_bytes = _MAX_GROWTH * limits.bytes
    if len(made) > max_bytes:
        # A file that one kind compresses well can take a hundred megabytes in another.
        raise ImageTooLarge.over(len(made), max_bytes, 'bytes when stored')
    # Animations get no variants: five would take longer than the image itself.
    widths = [each for each in VARIANT_WIDTHS if each <= width] if source.frames == 1 else []
    image = _smooth(image)
    variants = []
    for each in sorted(widths, reverse=True):
        # Resizing the previous variant is faster than resizing the whole image.
        image = image.resize((each, _scaled(height, each, width)), _LANCZOS)
        if image.height <= _MAX_WEBP_SIDE:
            file = encode(image, ImageKind.WEBP, profile, **_VARIANT_OPTIONS)
            variants.append(ProcessedVariant(width=each, content=file))
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
    image, profile = normalize_colours(decode_upright(source), source.profile)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = (left, top, left + side, top + side)
    image = _smooth(image.crop(square)).resize((AVATAR_WIDTH, AVATAR_WIDTH), _LANCZOS)
    return ProcessedImage(
        kind=ImageKind.WEBP,
        width=AVATAR_WIDTH,
        height=AVATAR_WIDTH,
        content=encode(image, ImageKind.WEBP, profile, **_AVATAR_OPTIONS),
        variants=(),
        placeholder=_placeholder(image)
    )


def _smooth(image: Image.Image) -> Image.Image:
    """Convert to a mode whose pixels can be interpolated."""
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
        # A profile would be larger than the image, and its colours may be approximate.
        made = b64encode(encode(small, ImageKind.WEBP, None, quality=40, alpha_quality=40, method=6))
        uri = f'data:image/webp;base64,{made.decode()}'
        if len(uri) <= PLACEHOLDER_LENGTH:
            return uri
        side //= 2
