from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, Response

from talelio_backend.app_asset.business import avatar, services
from talelio_backend.app_asset.business.errors import (
    ImageNotFound,
    ImageTooLarge,
    InvalidImageType,
    StorageRefused,
)
from talelio_backend.app_asset.business.image import LIST_LENGTH
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageProcessor, ImageStore
from talelio_backend.app_asset.presentation.multipart_files import UploadLimits, digests, multipart_files
from talelio_backend.app_asset.presentation.schemas import ImageAnswer, UploadAnswer
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.presentation.schemas import UserAnswer
from talelio_backend.shared.business.errors import PreconditionFailed, Unavailable
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.idempotency.presentation.idempotency_key import (
    KEY_ERRORS,
    Idempotency,
    ResultObservingUnitOfWork,
)
from talelio_backend.shared.presentation.caching.conditional_requests import Representation, precondition
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import Files, described
from talelio_backend.shared.presentation.pagination import page_query, page_response
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.query_parameters import read_query
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery

ImageListQuery = page_query(maximum=LIST_LENGTH)

_STORE_REFUSED = StorageRefused('The image storage (S3) refused: AccessDenied')
_TOO_MANY = Unavailable('Too many changes of pictures at once, please try again')
_PICTURE_ERRORS = (InvalidImageType(), ImageTooLarge(), _STORE_REFUSED, AccountGone(), _TOO_MANY)


class KeyedAssetUnitOfWork(AssetUnitOfWork, ResultObservingUnitOfWork, Protocol):
    pass


@dataclass(frozen=True, kw_only=True)
class AssetDependencies:
    unit_of_work: Callable[[], KeyedAssetUnitOfWork]
    idempotency: Idempotency
    processor: ImageProcessor
    store: ImageStore
    avatar_url: Callable[[User], str]
    access_tokens: AccessTokens
    upload_limits: UploadLimits
    # Limits concurrent changes of images. Raises Unavailable.
    slot: Callable[[], AbstractContextManager[None]]


def asset_routes(dependencies: AssetDependencies) -> Blueprint:
    routes = Blueprint('assets', __name__, url_prefix='/v1/assets')

    @routes.post('/images')
    @described(
        'Upload pictures',
        description='JPEG, PNG, GIF, WebP, AVIF or HEIC, under any field names. All are stored, or none; '
        'the `details` of an error name each refused file by its position, from 0, and its name.',
        bearer='required',
        body=Files(),
        responses={HTTPStatus.OK: UploadAnswer},
        errors=[*_PICTURE_ERRORS, *KEY_ERRORS],
        request_headers=['Idempotency-Key'],
        response_headers=['Idempotency-Replayed'],
    )
    def upload() -> Response:
        owner = authenticate(dependencies.access_tokens)
        with dependencies.slot(), multipart_files(dependencies.upload_limits) as files:
            return dependencies.idempotency.respond(
                dependencies.unit_of_work,
                lambda uow: services.upload(
                    uow,
                    dependencies.processor,
                    dependencies.store,
                    owner,
                    files,
                    datetime.now(UTC),
                ),
                lambda images: model_response(UploadAnswer.of(images, dependencies.store.url)),
                caller=owner,
                content=lambda: digests(files),
            )

    @routes.get('/images')
    @described(
        "List one's own images, newest first",
        bearer='required',
        query=ImageListQuery,
        responses={HTTPStatus.OK: list[ImageAnswer]},
        errors=[
            InvalidQuery.about('limit', f'must be a whole number from 1 to {LIST_LENGTH}'),
            AccountGone()
        ],
        response_headers=['Link'],
    )
    def list_own() -> Response:
        query = read_query(ImageListQuery)
        owner = authenticate(dependencies.access_tokens)
        page = services.list_own(dependencies.unit_of_work(), owner, query.page)
        return page_response([ImageAnswer.of(image, dependencies.store.url) for image in page.items],
                             page.next_before)

    @routes.get('/images/<id:image_id>')
    @described(
        "Show one of one's own images",
        bearer='required',
        responses={HTTPStatus.OK: ImageAnswer},
        errors=[ImageNotFound(7), AccountGone()],
    )
    def show_own(image_id: int) -> Response:
        owner = authenticate(dependencies.access_tokens)
        image = services.show_own(dependencies.unit_of_work(), owner, image_id)
        return model_response(ImageAnswer.of(image, dependencies.store.url))

    @routes.delete('/images/<id:image_id>')
    @described(
        "Delete one of one's own images",
        bearer='required',
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[ImageNotFound(7),
                AccountGone(),
                PreconditionFailed(), _STORE_REFUSED, _TOO_MANY],
        request_headers=['If-Match'],
    )
    def delete_own(image_id: int) -> Response:
        owner = authenticate(dependencies.access_tokens)
        with dependencies.slot():
            services.delete_own(
                dependencies.unit_of_work(),
                dependencies.store,
                owner,
                image_id,
                datetime.now(UTC),
                precondition(lambda image: Representation.of(ImageAnswer.of(image, dependencies.store.url))),
            )
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes


def avatar_routes(dependencies: AssetDependencies) -> Blueprint:
    routes = Blueprint('avatar', __name__, url_prefix='/v1/users/me')

    @routes.put('/avatar')
    @described(
        "Set one's avatar",
        description='One picture, which is cut to a square.',
        bearer='required',
        body=Files(most=1),
        responses={HTTPStatus.OK: UserAnswer},
        errors=_PICTURE_ERRORS,
    )
    def set_avatar() -> Response:
        owner = authenticate(dependencies.access_tokens)
        with dependencies.slot(), multipart_files(
            UploadLimits(files=1, bytes=dependencies.upload_limits.bytes)
        ) as files:
            if not files:
                raise InvalidImageType()
            user = avatar.set_avatar(
                dependencies.unit_of_work(),
                dependencies.processor,
                dependencies.store,
                owner,
                files[0],
                datetime.now(UTC),
            )
        return model_response(UserAnswer.of(user, dependencies.avatar_url))

    @routes.delete('/avatar')
    @described(
        "Take one's avatar away",
        bearer='required',
        responses={HTTPStatus.OK: UserAnswer},
        errors=[AccountGone(), _STORE_REFUSED, _TOO_MANY],
    )
    def reset_avatar() -> Response:
        owner = authenticate(dependencies.access_tokens)
        with dependencies.slot():
            user = avatar.reset_avatar(
                dependencies.unit_of_work(), dependencies.store, owner, datetime.now(UTC)
            )
        return model_response(UserAnswer.of(user, dependencies.avatar_url))

    return routes
