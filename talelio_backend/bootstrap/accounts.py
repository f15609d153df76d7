import os

from talelio_backend.app_account.business.grant import SessionTokens
from talelio_backend.app_account.business.verification_mail import VERIFICATION_MAIL, VerificationMailComposer
from talelio_backend.app_account.data.bcrypt_hasher import BcryptHasher
from talelio_backend.app_account.data.common_passwords import load_common_passwords
from talelio_backend.app_account.data.refresh_tokens import JwtRefreshTokens
from talelio_backend.app_account.data.verification_tokens import JwtVerificationTokens
from talelio_backend.app_account.presentation.account_commands import account_commands
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.routes import account_routes
from talelio_backend.app_account.presentation.session_cookie import SessionCookie
from talelio_backend.app_account.presentation.whitelist_commands import whitelist_commands
from talelio_backend.bootstrap.ground import Ground
from talelio_backend.config import Settings


def add_accounts(ground: Ground) -> None:
    settings = ground.settings
    verification_tokens = JwtVerificationTokens(settings.secret_key)
    parts = AccountParts(
        unit_of_work=ground.unit_of_work,
        idempotency=ground.idempotency,
        hasher=BcryptHasher(settings.bcrypt_cost, at_once=_hashes_at_once(settings)),
        tokens=SessionTokens(access=ground.access_tokens, refresh=JwtRefreshTokens(settings.secret_key)),
        cookie=SessionCookie(api_origin=settings.api_base_url, frontends=settings.cors_origins),
        limiter=ground.limiter,
        verification_tokens=verification_tokens,
        whitelist=settings.whitelisted_emails,
        common_passwords=load_common_passwords(),
        avatar_url=ground.avatar_url,
    )
    ground.app.cli.add_command(account_commands(parts))
    ground.app.cli.add_command(whitelist_commands(ground.unit_of_work, settings.whitelisted_emails))
    for routes in account_routes(parts):
        ground.app.register_blueprint(routes)
    ground.composers[VERIFICATION_MAIL] = VerificationMailComposer(
        ground.unit_of_work, verification_tokens, api_base_url=settings.api_base_url
    )


def _hashes_at_once(settings: Settings) -> int:
    """All worker processes together leave a core to the requests that only read, where there are enough."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, (cores - 1) // settings.server.web_concurrency)
