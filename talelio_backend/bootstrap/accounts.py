import os
from collections.abc import Sequence

from talelio_backend.app_account.business import account_mails
from talelio_backend.app_account.business.account_mails import AccountMails, LinkPages
from talelio_backend.app_account.business.grant import SessionTokens
from talelio_backend.app_account.business.mail_requests import MailRequests
from talelio_backend.app_account.business.recovery import RESET_REQUEST, VERIFICATION_REQUEST
from talelio_backend.app_account.business.verification_mail import VERIFICATION_MAIL, VerificationMailComposer
from talelio_backend.app_account.data.bcrypt_hasher import BcryptHasher
from talelio_backend.app_account.data.common_passwords import load_common_passwords
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.app_account.data.refresh_tokens import JwtRefreshTokens
from talelio_backend.app_account.data.verification_tokens import JwtVerificationTokens
from talelio_backend.app_account.presentation.account_commands import account_commands
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.routes import account_routes
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_account.presentation.whitelist_commands import whitelist_commands
from talelio_backend.app_asset.business.file_claims import take_back
from talelio_backend.bootstrap.ground import Ground
from talelio_backend.settings import Settings


def add_accounts(ground: Ground) -> None:
    settings = ground.settings
    keys = settings.secret_keys

    def free_files(user_id: int, file_keys: Sequence[str]) -> None:
        take_back(ground.unit_of_work(), ground.store, user_id, file_keys)

    parts = AccountParts(
        unit_of_work=ground.unit_of_work,
        idempotency=ground.idempotency,
        hasher=BcryptHasher(
            settings.bcrypt_cost,
            at_once=_hashes_at_once(settings),
            observer=ground.metrics.work.turns('passwords'),
        ),
        tokens=SessionTokens(access=ground.access_tokens, refresh=JwtRefreshTokens(*keys)),
        cookie=SessionCookie(api_origin=settings.api_base_url, frontends=settings.cors_origins),
        limiter=ground.limiter,
        verification_tokens=JwtVerificationTokens(*keys),
        reset_tokens=JwtLinkTokens('reset', *keys),
        confirmation_tokens=JwtLinkTokens('email-confirmation', *keys),
        revocation_tokens=JwtLinkTokens('email-revocation', *keys),
        whitelist=settings.whitelisted_emails,
        common_passwords=load_common_passwords(),
        avatar_url=ground.avatar_url,
        free_files=free_files,
    )
    ground.app.cli.add_command(account_commands(parts))
    ground.app.cli.add_command(whitelist_commands(ground.unit_of_work, settings.whitelisted_emails))
    for routes in account_routes(parts):
        ground.app.register_blueprint(routes)
    _add_composers(ground, parts)


def _add_composers(ground: Ground, parts: AccountParts) -> None:
    settings = ground.settings
    requests = MailRequests(ground.unit_of_work)
    mails = AccountMails(
        unit_of_work=ground.unit_of_work,
        pages=LinkPages(api_base_url=settings.api_base_url, frontend_url=settings.frontend_url),
        reset_tokens=parts.reset_tokens,
        confirmation_tokens=parts.confirmation_tokens,
        revocation_tokens=parts.revocation_tokens,
    )
    ground.composers.update({
        VERIFICATION_MAIL:
        VerificationMailComposer(
            ground.unit_of_work, parts.verification_tokens, api_base_url=settings.api_base_url
        ),
        VERIFICATION_REQUEST:
        requests.verification,
        RESET_REQUEST:
        requests.reset,
        account_mails.PASSWORD_RESET_MAIL:
        mails.reset,
        account_mails.PASSWORD_CHANGED_MAIL:
        mails.changed,
        account_mails.EMAIL_CONFIRMATION_MAIL:
        mails.confirmation,
        account_mails.EMAIL_ANNOUNCEMENT_MAIL:
        mails.announcement,
    })


def _hashes_at_once(settings: Settings) -> int:
    """All worker processes together leave a core to the requests that only read, where there are enough."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, (cores - 1) // settings.web_concurrency)
