"""What is read of a project to show it, past SQLAlchemy's mapping: an entity costs ten times as much."""
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from talelio_backend.app_project.business.domain.project import ProjectStatus, ProjectView
from talelio_backend.app_project.data.project_table import project_table

_NAMES = [field.name for field in fields(ProjectView)]
VIEW_COLUMNS = [project_table.c[name] for name in _NAMES]


def shown(row: Sequence[Any]) -> ProjectView:
    """`row` begins with the VIEW_COLUMNS, as the driver gives them."""
    values = dict(zip(_NAMES, row))
    values['status'] = ProjectStatus(values['status'])
    return ProjectView(**values)
