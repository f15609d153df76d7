from collections.abc import Sequence

from flask import Blueprint

from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.registration_routes import registration_routes
from talelio_backend.app_account.presentation.session_routes import session_routes


def account_routes(parts: AccountParts) -> Sequence[Blueprint]:
    return registration_routes(parts), session_routes(parts)
