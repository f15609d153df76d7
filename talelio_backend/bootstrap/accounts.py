import os
from collections.abc import Sequence

from talelio_backend.app_account.business.context import AccountPorts
from talelio_backend.app_account.business.mails import account_mails
from talelio_backend.app_account.business.mails.account_mails import AccountMails, LinkUrls, MailRequests
from talelio_backend.app_account.business.ports import LinkPurpose
from talelio_backend.app_account.business.use_cases.administration import show
from talelio_backend.app_account.business.use_cases.password_recovery import (
    RESET_REQUEST,
    VERIFICATION_REQUEST,
)
from talelio_backend.app_account.data.bcrypt_hasher import BcryptHasher
from talelio_backend.app_account.data.common_passwords import load_common_passwords
from talelio_backend.app_account.data.jwt import JwtLinkTokens, JwtRefreshTokens
from talelio_backend.app_account.presentation.account_commands import account_commands
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.own_account_routes import (
    email_change_routes,
    own_account_routes,
)
from talelio_backend.app_account.presentation.registration_routes import recovery_routes, registration_routes
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_account.presentation.session_routes import session_routes
from talelio_backend.app_account.presentation.whitelist_commands import whitelist_commands
from talelio_backend.app_asset.business.file_claims import roll_back_upload
from talelio_backend.bootstrap.container import Container
from talelio_backend.settings import Settings
from talelio_backend.shared.audit.presentation.audit_commands import audit_commands


def add_accounts(container: Container) -> None:
    settings = container.settings
    keys = settings.secret_keys

    def free_files(user_id: int, file_keys: Sequence[str]) -> None:
        roll_back_upload(container.unit_of_work(), container.store, user_id, file_keys)

    ports = AccountPorts(
        hasher=BcryptHasher(
            settings.bcrypt_cost,
            at_once=_hashes_at_once(settings),
            observer=container.metrics.work.bulkhead('passwords'),
        ),
        access_tokens=container.access_tokens,
        refresh_tokens=JwtRefreshTokens(*keys),
        links={purpose: JwtLinkTokens(purpose, *keys)
               for purpose in LinkPurpose},
        whitelist=settings.whitelisted_emails,
        common_passwords=load_common_passwords(),
        free_files=free_files,
    )
    dependencies = AccountDependencies(
        unit_of_work=container.unit_of_work,
        ports=ports,
        idempotency=container.idempotency,
        cookie=SessionCookie(api_origin=settings.api_base_url, frontends=settings.cors_origins),
        limiter=container.limiter,
        avatar_url=container.avatar_url,
    )
    container.app.cli.add_command(account_commands(dependencies))
    container.app.cli.add_command(whitelist_commands(dependencies, settings.whitelisted_emails))
    container.app.cli.add_command(
        audit_commands(container.unit_of_work, lambda email: show(container.unit_of_work(), email).id)
    )
    for routes in (
        registration_routes, session_routes, own_account_routes, recovery_routes, email_change_routes
    ):
        container.app.register_blueprint(routes(dependencies))
    _add_composers(container, ports)


def _add_composers(container: Container, ports: AccountPorts) -> None:
    settings = container.settings
    requests = MailRequests(container.unit_of_work)
    mails = AccountMails(
        unit_of_work=container.unit_of_work,
        urls=LinkUrls(api_base_url=settings.api_base_url, frontend_url=settings.frontend_url),
        links=ports.links,
    )
    container.composers.update({
        account_mails.VERIFICATION_MAIL: mails.verification,
        VERIFICATION_REQUEST: requests.verification,
        RESET_REQUEST: requests.reset,
        account_mails.PASSWORD_RESET_MAIL: mails.reset,
        account_mails.PASSWORD_CHANGED_MAIL: mails.changed,
        account_mails.EMAIL_CONFIRMATION_MAIL: mails.confirmation,
        account_mails.EMAIL_ANNOUNCEMENT_MAIL: mails.announcement,
    })


def _hashes_at_once(settings: Settings) -> int:
    """Leave one core, if possible, to requests that only read."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, (cores - 1) // settings.web_concurrency)
