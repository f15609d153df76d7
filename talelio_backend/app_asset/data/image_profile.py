"""Colour profiles written anew, with nothing of the sender's but the few numbers that make the colours.

One passed on as it came could be an archive or a page as well: it has room for anything.
"""

import struct

_HEADER = struct.Struct('>I4x4s4s4s4s12x4s28x12s48x')
_ENTRY = struct.Struct('>4sII')
# ICC.1:2010, the first to have both kinds of curves in its text and white always the same.
_VERSION = bytes([4, 0x30, 0, 0])
_WHITE = bytes.fromhex('0000f6d6 00010000 0000d32d')
# How many numbers the formula has, by its number.
_PARAMETERS = (1, 3, 4, 5, 7)


def rebuilt_profile(profile: bytes) -> bytes | None:
    """Return None where the colours are not three primaries, each with a curve that is a formula.

    No more than three bytes in a row are the sender's.
    """
    try:
        tags = _tags_of(profile)
        # White is not read: browsers have no use for it, and the version has one for all screens.
        rebuilt = {b'desc': _text('RGB'), b'cprt': _text('None'), b'wtpt': b'XYZ \0\0\0\0' + _WHITE}
        rebuilt |= {name: _numbers(tags[name], b'XYZ ', 3) for name in (b'rXYZ', b'gXYZ', b'bXYZ')}
        rebuilt |= {name: _curve(tags[name]) for name in (b'rTRC', b'gTRC', b'bTRC')}
        if b'chad' in tags:
            rebuilt[b'chad'] = _numbers(tags[b'chad'], b'sf32', 9)
    except (struct.error, LookupError, ValueError):
        return None
    return _profile_of(rebuilt)


def _tags_of(profile: bytes) -> dict[bytes, memoryview]:
    if profile[12:16] not in (b'mntr', b'scnr', b'spac') or profile[16:24] != b'RGB XYZ ':
        raise ValueError
    count, = struct.unpack_from('>I', profile, _HEADER.size)
    start = _HEADER.size + 4
    entries = list(_ENTRY.iter_unpack(profile[start:start + count * _ENTRY.size]))
    # Not copied, for each tag may be most of the profile.
    view = memoryview(profile)
    tags = {bytes(name): view[place:place + size] for name, place, size in entries}
    # Where there are tables as well, the colours are theirs. Of two alike, who knows which is meant?
    if len(tags) != count or any(name[:3] in (b'A2B', b'D2B') for name in tags):
        raise ValueError
    return tags


def _numbers(tag: memoryview, kind: bytes, count: int, head: bytes = bytes(4)) -> bytes:
    """Return the tag without what follows: its kind, the rest of its head, and numbers of four bytes."""
    found, numbers = struct.unpack_from(f'>4s{len(head)}x{4 * count}s', tag)
    # All that are of use are below 128, and so no four bytes in a row are free.
    if found != kind or not set(numbers[::4]) <= {0x00, 0xff}:
        raise ValueError
    return kind + head + bytes(numbers)


def _curve(tag: memoryview) -> bytes:
    kind, = struct.unpack_from('4s', tag)
    if kind == b'para':
        function, = struct.unpack_from('>8xH', tag)
        return _numbers(tag, kind, _PARAMETERS[function], struct.pack('>4xHxx', function))
    count, = struct.unpack_from('>8xI', tag)
    if kind != b'curv' or count > 1:
        raise ValueError
    gamma, = struct.unpack_from(f'12x{2 * count}s', tag)
    return struct.pack('>4s4xI', kind, count) + bytes(gamma)


def _text(text: str) -> bytes:
    content = text.encode('utf-16-be')
    return struct.pack('>4s4xII4sII', b'mluc', 1, 12, b'enUS', len(content), 28) + content


def _profile_of(tags: dict[bytes, bytes]) -> bytes:
    position = _HEADER.size + 4 + _ENTRY.size * len(tags)
    table, data = struct.pack('>I', len(tags)), b''
    for name, content in tags.items():
        table += _ENTRY.pack(name, position + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = position + len(data)
    return _HEADER.pack(size, _VERSION, b'mntr', b'RGB ', b'XYZ ', b'acsp', _WHITE) + table + data
