"""The colour profiles that stored images may have: an uploaded profile could hide any file.

They are matrix profiles (ICC.1:2010) with the published primaries, adapted to D50.
"""

from pathlib import Path

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
