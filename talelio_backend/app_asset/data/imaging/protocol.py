"""Messages between SandboxedImageProcessor and the codec in its child process: a JSON header and bytes.

Both sides import this module, so it must not import Pillow.
"""

import json
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType, RefusedImage
from talelio_backend.app_asset.business.image import ImageKind, ProcessedImage, ProcessedVariant

# In characters.
PLACEHOLDER_LENGTH = 600
REASON_LENGTH = 200

_LENGTH = struct.Struct('>I')
_REFUSALS = {'type': InvalidImageType, 'size': ImageTooLarge}


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    # Of a file.
    bytes: int = 10 * 1024 * 1024
    # Of an image, or the canvas of an animation.
    pixels: int = 25_000_000
    frames: int = 300
    # Frames times pixels of the canvas.
    summed_pixels: int = 100_000_000


class MalformedReply(Exception):
    """The child process sent something that the codec never sends."""


def pack_request(task: str, content: bytes, limits: ImageLimits) -> bytes:
    return _pack({'task': task, 'limits': asdict(limits)}, [content])


def unpack_request(request: bytes) -> tuple[str, bytes, ImageLimits]:
    header, content = _unpack(request)
    return header['task'], content, ImageLimits(**header['limits'])


def pack_image(image: ProcessedImage) -> bytes:
    contents = [image.content, *(variant.content for variant in image.variants)]
    header = {
        'kind': image.kind.value,
        'width': image.width,
        'height': image.height,
        'placeholder': image.placeholder,
        'variants': [variant.width for variant in image.variants],
        'sizes': [len(content) for content in contents],
    }
    return _pack(header, contents)


def pack_refusal(error: RefusedImage) -> bytes:
    kind = 'size' if isinstance(error, ImageTooLarge) else 'type'
    return _pack({'refusal': kind, 'reason': error.reason}, [])


def unpack_reply(response: bytes, *, pixels: int) -> ProcessedImage:
    """Raises InvalidImageType, ImageTooLarge or MalformedReply.

    A malicious image could take over the child process and send anything, so every field is validated.
    Only the encoded images themselves are taken as they are.
    """
    try:
        header, content = _unpack(response)
        if 'refusal' in header:
            reason = header['reason']
            _expect(isinstance(reason, str) and reason.isprintable() and len(reason) <= REASON_LENGTH)
            raise _REFUSALS[header['refusal']](reason)
        return _prepared(header, content, pixels)
    except (KeyError, TypeError, ValueError, RecursionError, struct.error):
        raise MalformedReply from None


def _prepared(header: dict[str, Any], content: bytes, pixels: int) -> ProcessedImage:
    width, height = header['width'], header['height']
    widths, sizes, placeholder = header['variants'], header['sizes'], header['placeholder']
    _expect(_are_positive([width, height]) and width * height <= pixels)
    _expect(_are_positive(widths) and widths == sorted(set(widths)) and all(one <= width for one in widths))
    _expect(_are_positive(sizes) and len(sizes) == len(widths) + 1 and sum(sizes) == len(content))
    _expect(
        isinstance(placeholder, str) and placeholder.isascii() and placeholder.isprintable()
        and placeholder.startswith('data:image/') and len(placeholder) <= PLACEHOLDER_LENGTH
    )
    ends = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    first, *others = [content[start:end] for start, end in zip(ends, ends[1:])]
    return ProcessedImage(
        kind=ImageKind(header['kind']),
        width=width,
        height=height,
        content=first,
        variants=tuple(ProcessedVariant(width=one, content=part) for one, part in zip(widths, others)),
        placeholder=placeholder
    )


def _expect(condition: bool) -> None:
    if not condition:
        raise ValueError


def _are_positive(numbers: list[Any]) -> bool:
    return all(isinstance(number, int) and not isinstance(number, bool) and number > 0 for number in numbers)


def _pack(header: dict[str, Any], contents: Iterable[bytes]) -> bytes:
    encoded = json.dumps(header).encode()
    return b''.join([_LENGTH.pack(len(encoded)), encoded, *contents])


def _unpack(message: bytes) -> tuple[dict[str, Any], bytes]:
    length, = _LENGTH.unpack_from(message)
    end = _LENGTH.size + length
    header = json.loads(message[_LENGTH.size:end])
    _expect(isinstance(header, dict) and end <= len(message))
    return header, message[end:]
