from collections.abc import Callable
from typing import BinaryIO
from uuid import UUID

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind, ProcessedImage, ProcessedVariant
from talelio_backend.app_project.business.domain.errors import TooExpensiveToRender
from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.shared.mail.business.message import Mail, MailNotSent


class FakeHasher:
    """Hashes at once, and counts: the real one is slow, and services must be careful with it."""

    def __init__(self, *, generation: int = 1) -> None:
        self._generation = generation
        self.hashed = 0
        self.verified = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return f'{self._generation}:{password}'

    def verify(self, password: str, password_hash: str | None) -> bool:
        self.verified += 1
        return password_hash is not None and password_hash.partition(':')[2] == password

    def is_outdated(self, password_hash: str) -> bool:
        return int(password_hash.partition(':')[0]) < self._generation


class FakeRenderer:
    """Takes every text for one paragraph, and counts what it renders."""

    def __init__(self) -> None:
        self.rendered = 0
        self.account_id: int | None = None
        # Runs at each rendering: what others do meanwhile.
        self.meanwhile: Callable[[], object] = lambda: None

    def render(self, markdown: str, account_id: int | None = None) -> Rendered:
        self.rendered += 1
        self.account_id = account_id
        self.meanwhile()
        if markdown == 'too expensive':
            raise TooExpensiveToRender()
        return {
            'html': f'<p>{markdown}</p>',
            'excerpt': markdown,
            'toc': [],
            'words': len(markdown.split()),
            'warnings': [],
        }


class FakeImageProcessor:
    """Takes text for a picture: 'invalid' and 'large' are refused, anything else is kept in capitals."""

    account_id: int | None = None

    def prepare(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        self.account_id = account_id
        return self._prepared(file, variant_widths=(320, 640))

    def prepare_avatar(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        self.account_id = account_id
        return self._prepared(file, variant_widths=())

    def _prepared(self, file: BinaryIO, variant_widths: tuple[int, ...]) -> ProcessedImage:
        content = file.read()
        if content == b'invalid':
            raise InvalidImageType()
        if content == b'large':
            raise ImageTooLarge()
        return ProcessedImage(
            kind=ImageKind.WEBP,
            width=800,
            height=600,
            content=content.upper(),
            variants=tuple(
                ProcessedVariant(width=width, content=content.upper() + b' %d' % width)
                for width in variant_widths
            ),
            placeholder='data:image/webp;base64,',
        )


class FakeMailer:

    def __init__(self) -> None:
        self.sent: list[tuple[Mail, UUID]] = []
        self.failure: MailNotSent | None = None

    def send(self, mail: Mail, message_id: UUID) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((mail, message_id))
