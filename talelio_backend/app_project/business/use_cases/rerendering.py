"""Rendering texts that were rendered before, without their owners' doing.

To readers the project is the same one: `updated_at` stays.
"""
from collections.abc import Iterator

from talelio_backend.app_project.business.domain.project import RENDERING, Project
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork

# Ids that are read at once. Each project has transactions of its own.
BATCH = 100


def find_rendered(uow: ProjectUnitOfWork, *, even_current: bool) -> Iterator[int]:
    """Return the ids of the projects that an earlier release rendered, or of those of this one as well.

    What a later release has rendered is left to it.
    """
    rendering = RENDERING + 1 if even_current else RENDERING
    after = 0
    while True:
        with uow:
            ids = uow.projects.ids_rendered_before(rendering, after, BATCH)
        yield from ids
        if len(ids) < BATCH:
            return
        after = ids[-1]


def render_again(uow: ProjectUnitOfWork, renderer: MarkdownRenderer, project_id: int) -> bool:
    """Return False, and leave the project alone, where it was saved or deleted meanwhile.

    Raises what the renderer raises.
    """
    with uow:
        project = uow.projects.get(project_id)
        if project is None:
            return False
        before = _text(project)
    # Between the transactions, as when it is saved.
    rendered = renderer.render(project.body)
    with uow:
        project = uow.projects.get_for_update(project_id)
        if project is None or _text(project) != before:
            return False
        project.take_rendered(rendered)
        uow.projects.save(project)
        uow.commit()
    return True


def _text(project: Project) -> tuple[str, str, int]:
    return project.body, project.html, project.rendering
