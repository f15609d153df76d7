from talelio_backend.shared.business.errors import Invalid, NotFound


class InvalidImageType(Invalid):
    """No picture of a kind that is taken, or one that cannot be decoded."""

    def __init__(self) -> None:
        super().__init__('One or more image files are of invalid type')


class ImageTooLarge(Invalid):
    """Over a limit in bytes, pixels or frames, or over what decoding may cost."""

    def __init__(self) -> None:
        super().__init__('One or more image files are too large')


class StorageRefused(Invalid):
    """The storage service answered with an error of its own; the message has nothing of its internals."""


class ImageNotFound(NotFound):

    def __init__(self, image_id: int) -> None:
        super().__init__(f'You have no image {image_id}')
