"""The codec in the test's own process, where nothing bounds it."""
from PIL import Image

from talelio_backend.app_asset.business.image import ProcessedImage
from talelio_backend.app_asset.data.imaging import image_codec
from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from tests.support.pictures import opened

LIMITS = ImageLimits(bytes=1024 * 1024, pixels=10_000_000, frames=10, summed_pixels=10_000_000)


def prepare(content: bytes) -> ProcessedImage:
    return image_codec.prepare(content, LIMITS)


def prepared(content: bytes) -> Image.Image:
    return opened(prepare(content).content)


def prepare_avatar(content: bytes) -> ProcessedImage:
    return image_codec.prepare_avatar(content, LIMITS)
