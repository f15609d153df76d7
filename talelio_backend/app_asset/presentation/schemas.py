from collections.abc import Callable, Sequence
from typing import Self

from talelio_backend.app_asset.business.image import Image, ImageKind
from talelio_backend.shared.presentation.schemas import Answer, UtcTime


class VariantAnswer(Answer):
    url: str
    # In pixels.
    width: int
    type: str


class ImageAnswer(Answer):
    id: int
    created_at: UtcTime
    url: str
    # In pixels.
    width: int
    height: int
    bytes: int
    type: str
    variants: list[VariantAnswer]
    # A data URI, to show until the picture is there.
    placeholder: str

    @classmethod
    def of(cls, image: Image, url: Callable[[str], str]) -> Self:
        return cls(
            id=image.id,
            created_at=image.created_at,
            url=url(image.key),
            width=image.width,
            height=image.height,
            bytes=image.size,
            type=image.kind.value,
            variants=[
                VariantAnswer(url=url(image.variant_key(width)), width=width, type=ImageKind.WEBP.value)
                for width in image.variant_widths
            ],
            placeholder=image.placeholder,
        )


class UploadAnswer(Answer):
    """In the order in which the files were sent."""

    image_objects_urls: Sequence[str]
    images: Sequence[ImageAnswer]
