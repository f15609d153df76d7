from collections.abc import Callable, Sequence
from typing import Annotated, Self

from pydantic import Field

from talelio_backend.app_asset.business.image import Image, ImageKind
from talelio_backend.shared.presentation.schemas import Answer, Id, UtcTime

Pixels = Annotated[int, Field(description='In pixels.', examples=[640])]
Url = Annotated[str, Field(examples=['https://cdn.example.com/1/images/3f8a.jpg'])]
MediaType = Annotated[str, Field(examples=['image/webp'])]


class VariantAnswer(Answer):
    url: Url
    width: Pixels
    type: MediaType


class ImageAnswer(Answer):
    id: Id
    created_at: UtcTime
    url: Url
    width: Pixels
    height: Pixels
    bytes: Annotated[int, Field(examples=[31541])]
    type: MediaType
    variants: list[VariantAnswer]
    placeholder: Annotated[str,
                           Field(
                               description='A data URI, to show until the picture is there.',
                               examples=['data:image/webp;base64,UklGRg==']
                           )]

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

    image_objects_urls: Sequence[Url]
    images: Sequence[ImageAnswer]

    @classmethod
    def of(cls, images: Sequence[Image], url: Callable[[str], str]) -> Self:
        answers = [ImageAnswer.of(image, url) for image in images]
        return cls(image_objects_urls=[image.url for image in answers], images=answers)
