from collections.abc import Sequence

from flask import Blueprint

from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.email_change_routes import email_change_routes
from talelio_backend.app_account.presentation.own_account_routes import own_account_routes
from talelio_backend.app_account.presentation.recovery_routes import recovery_routes
from talelio_backend.app_account.presentation.registration_routes import registration_routes
from talelio_backend.app_account.presentation.session_routes import session_routes


def account_routes(dependencies: AccountDependencies) -> Sequence[Blueprint]:
    return (
        registration_routes(dependencies),
        session_routes(dependencies),
        own_account_routes(dependencies),
        recovery_routes(dependencies),
        email_change_routes(dependencies),
    )
