"""Files as they are sent, and as an image store is given them."""
from hashlib import sha256
from io import BytesIO

from talelio_backend.app_asset.business.image import ImageKind, image_key, variant_key
from talelio_backend.app_asset.business.ports import NewFile, UploadedFile


def uploaded(content: bytes, name: str = 'photo.jpg') -> UploadedFile:
    return UploadedFile(name=name, content=BytesIO(content))


def new_files(content: bytes = b'a picture',
              *,
              user_id: int = 7,
              widths: tuple[int, ...] = (320, 640)) -> list[NewFile]:
    """A picture and its variants, all with different bytes."""
    digest = sha256(content).hexdigest()
    return [
        NewFile(
            key=image_key(user_id, digest, ImageKind.JPEG),
            content=content,
            media_type='image/jpeg',
        ),
        *(
            NewFile(
                key=variant_key(user_id, digest, width),
                content=b'%d wide: %s' % (width, content),
                media_type='image/webp',
            ) for width in widths
        ),
    ]


def keys_of(files: list[NewFile]) -> list[str]:
    return [file.key for file in files]
