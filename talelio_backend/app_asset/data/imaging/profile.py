"""Generates the colour profiles that stored images may have: an uploaded profile could hide any file."""

import struct

# The parameters of the parametric curve in ICC.1:2010, section 10.16.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D50 = (0.9642, 1.0, 0.8249)
_DATE = (2026, 1, 1, 0, 0, 0)

Colour = tuple[float, float, float]


def _numbers(kind: bytes, *numbers: float) -> bytes:
    return struct.pack(f'>{len(kind)}s{len(numbers)}i', kind, *(round(65536 * number) for number in numbers))


def _profile(name: str, primaries: tuple[Colour, Colour, Colour], curve: tuple[float, ...]) -> bytes:
    """Return a matrix profile of version 4.3; the primaries are XYZ adapted to D50."""
    text = name.encode('utf-16-be')
    words = struct.pack('>4s4xII4sII', b'mluc', 1, 12, b'enUS', len(text), 28) + text
    formula = _numbers(struct.pack('>4s4xHxx', b'para', 3 if len(curve) > 1 else 0), *curve)
    tags = {b'desc': words, b'cprt': words, b'wtpt': _numbers(b'XYZ \0\0\0\0', *_D50)}
    for channel, primary in zip((b'r', b'g', b'b'), primaries):
        tags |= {channel + b'XYZ': _numbers(b'XYZ \0\0\0\0', *primary), channel + b'TRC': formula}
    position = 132 + 12 * len(tags)
    table, data = struct.pack('>I', len(tags)), b''
    for tag, content in tags.items():
        table += struct.pack('>4sII', tag, position + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = struct.pack(
        '>I4xI4s4s4s6H4s28x', position + len(data), 0x04300000, b'mntr', b'RGB ', b'XYZ ', *_DATE, b'acsp'
    )
    return (head + _numbers(b'', *_D50)).ljust(128, b'\0') + table + data


DISPLAY_P3 = _profile(
    'Display P3',
    ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    _SRGB_CURVE,
)
ADOBE_RGB = _profile(
    'Adobe RGB (compatible)',
    ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    (2.19921875, ),
)
_BT2020 = _profile(
    'BT.2020',
    ((0.67346, 0.27903, -0.00193), (0.16566, 0.67534, 0.02997), (0.12505, 0.04561, 0.79685)),
    _SRGB_CURVE,
)
# AVIF, HEIC and PNG use the code points of ITU-T H.273. Transfer 2 is unspecified. Browsers show the
# curves of video (1, 6, 14, 15) like the one of sRGB (13). HDR curves are not supported.
_PRIMARIES = {9: _BT2020, 12: DISPLAY_P3}
_TRANSFERS = (1, 2, 6, 13, 14, 15)


def profile_by_code(primaries: int, transfer: int) -> bytes | None:
    """Return None for sRGB and for unsupported codes."""
    return _PRIMARIES.get(primaries) if transfer in _TRANSFERS else None
