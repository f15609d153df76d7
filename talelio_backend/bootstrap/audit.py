from talelio_backend.app_account.business.use_cases.administration import show
from talelio_backend.bootstrap.container import Container
from talelio_backend.shared.audit.business.audit_trail import prune
from talelio_backend.shared.audit.presentation.audit_commands import audit_commands


def add_audit(container: Container) -> None:
    unit_of_work, retention = container.unit_of_work, container.settings.retention
    commands = audit_commands(unit_of_work, lambda email: show(unit_of_work(), email).id)
    container.app.cli.add_command(commands)
    container.pruning.append(lambda now: prune(unit_of_work(), retention, now))
