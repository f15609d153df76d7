from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import (
    ARRAY,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import OperationalError

from talelio_backend.app_asset.business.image import Image, ImageKind, avatar_key
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.app_user.data.user_repository import user_table
from talelio_backend.shared.business.errors import BusinessError, Unavailable
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.data.engine import is_lock_timeout
from talelio_backend.shared.data.orm import INSTANT, metadata, text_enum
from talelio_backend.shared.data.pagination import newest_first, page_of
from talelio_backend.shared.data.repository import SqlAlchemyRepository

OWNER_EXISTS = 'fk_images_user_id_users'

# The first half of the advisory lock's key; the second half is the user's id.
_LOCK = 0x696D6773

# In seconds. Long enough for a holder that waits for the store, but shorter than the statement timeout.
LOCK_TIMEOUT = 4

image_table = Table(
    'images',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('user_id', ForeignKey('users.id', name=OWNER_EXISTS, ondelete='CASCADE'), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('deleted_at', INSTANT),
    # Earlier releases used digests as names.
    Column('digest', Text, key='name', nullable=False),
    Column('kind', text_enum(ImageKind, 20), nullable=False),
    Column('width', Integer, nullable=False),
    Column('height', Integer, nullable=False),
    Column('size', Integer, nullable=False),
    Column('variant_widths', ARRAY(Integer), nullable=False),
    Column('placeholder', Text, nullable=False),
    UniqueConstraint('user_id', 'name'),
    Index(None, 'user_id', 'id'),
)
# A literal, not a parameter: PostgreSQL uses the index only for the same expression.
_FINGERPRINT = func.left(image_table.c.name, literal_column('32'))
_NOT_DELETED = image_table.c.deleted_at.is_(None)
Index('ix_images_fingerprint', image_table.c.user_id, _FINGERPRINT, postgresql_where=_NOT_DELETED)


class SqlAlchemyImageRepository(SqlAlchemyRepository[Image]):
    """See `app_asset.business.ports.ImageRepository`."""

    entity = Image
    table = image_table

    def _errors(self, _entity: Image) -> Mapping[str, BusinessError]:
        return {OWNER_EXISTS: AccountGone()}

    def lock(self, user_id: int) -> None:
        self._session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"))
        try:
            self._session.execute(select(func.pg_advisory_xact_lock(_LOCK, user_id)))
        except OperationalError as error:
            if is_lock_timeout(error):
                raise Unavailable('Your other pictures are being changed, please try again') from error
            raise

    def get_of_user(self, user_id: int, image_id: int) -> Image | None:
        return self._find(image_table.c.user_id == user_id, image_table.c.id == image_id)

    def get_by_fingerprint(self, user_id: int, fingerprint: str) -> Image | None:
        return self._find(image_table.c.user_id == user_id, _FINGERPRINT == fingerprint, _NOT_DELETED)

    def with_names(self, wanted: Collection[tuple[int, str]]) -> Sequence[Image]:
        key = tuple_(image_table.c.user_id, image_table.c.name)
        return self._list(select(Image).where(key.in_(wanted), _NOT_DELETED))

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Image]:
        query = select(Image).where(image_table.c.user_id == user_id, _NOT_DELETED)
        return page_of(self._list(newest_first(query, image_table.c.id, page)), page, lambda image: image.id)

    def claimed(self, user_id: int, names: Collection[str]) -> set[str]:
        of_images = select(image_table.c.name).where(
            image_table.c.user_id == user_id,
            image_table.c.name.in_(names),
            _NOT_DELETED,
        )
        of_avatar = select(user_table.c.avatar_name).where(
            user_table.c.id == user_id,
            user_table.c.avatar_name.in_(names),
        )
        return set(self._session.scalars(of_images.union(of_avatar)))

    def keys_of_user(self, user_id: int) -> list[str]:
        images = self._session.scalars(select(Image).where(image_table.c.user_id == user_id))
        keys = [key for image in images for key in image.keys]
        name = self._session.scalar(select(user_table.c.avatar_name).where(user_table.c.id == user_id))
        return keys if name is None else [*keys, avatar_key(user_id, name)]

    def pending_deletion(self, limit: int) -> Sequence[Image]:
        query = select(Image).where(image_table.c.deleted_at.is_not(None))
        return self._list(query.order_by(image_table.c.id).limit(limit))

    def purge_deleted(self, user_id: int, names: Collection[str]) -> None:
        self._session.execute(
            delete(image_table).where(
                image_table.c.user_id == user_id,
                image_table.c.name.in_(names),
                image_table.c.deleted_at.is_not(None),
            )
        )
