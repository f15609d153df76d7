"""Handles the outbox rows that `password_recovery.request_by_mail` writes."""
from collections.abc import Callable, Mapping
from datetime import datetime

from talelio_backend.app_account.business.mails.account_mails import (
    PASSWORD_RESET_MAIL,
    queue_account_mail,
    queue_verification_mail,
)
from talelio_backend.app_account.business.ports import AccountUnitOfWork


class MailRequests:
    """Composers that queue the requested mail, if there is one to send, and send nothing themselves.

    If the relay repeats a request after a crash, the pause between links prevents a second mail. See
    `shared.mail.business.relay.Composer`.
    """

    def __init__(self, unit_of_work: Callable[[], AccountUnitOfWork]) -> None:
        self._unit_of_work = unit_of_work

    def reset(self, payload: Mapping[str, int], now: datetime) -> None:
        with self._unit_of_work() as uow:
            account = uow.accounts.get_for_update(payload['account_id'])
            if account is not None and account.request_reset(now):
                queue_account_mail(
                    uow.outbox, PASSWORD_RESET_MAIL, account.id, now, epoch=account.token_epoch
                )
                uow.commit()

    def verification(self, payload: Mapping[str, int], now: datetime) -> None:
        with self._unit_of_work() as uow:
            account = uow.accounts.get_for_update(payload['account_id'])
            if account is not None and account.renew_link(now):
                queue_verification_mail(uow.outbox, account, now)
                uow.commit()
