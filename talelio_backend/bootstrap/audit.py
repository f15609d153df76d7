from talelio_backend.app_account.business.administration import find_account_id
from talelio_backend.bootstrap.ground import Ground
from talelio_backend.shared.business.audit import prune
from talelio_backend.shared.presentation.audit_commands import audit_commands


def add_audit(ground: Ground) -> None:
    unit_of_work, retention = ground.unit_of_work, ground.settings.retention
    commands = audit_commands(unit_of_work, retention, lambda email: find_account_id(unit_of_work(), email))
    ground.app.cli.add_command(commands)
    ground.pruning.append(lambda now: prune(unit_of_work(), retention, now))
