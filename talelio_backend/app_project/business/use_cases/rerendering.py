"""Rendering texts that were rendered before, without their owners' doing.

To readers the project is the same one: `updated_at` stays.
"""
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

from talelio_backend.app_project.business.domain.project import RENDERING, Project
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork

# Words, and lines, of a text that are named.
_NAMED = 10
_CODE = re.compile('`+[^`]+`+')

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


def find_losses(uow: ProjectUnitOfWork, renderer: MarkdownRenderer, project_id: int) -> list[str]:
    """Return what rendering a project again would lose: words, and cells that a `|` within code would split.

    Changes nothing. Raises what the renderer raises.
    """
    with uow:
        project = uow.projects.get(project_id)
        if project is None:
            return []
        before, body = project.html, project.body
    lost = _words(before) - _words(renderer.render(body)['html'])
    losses = [f'loses {", ".join(sorted(lost)[:_NAMED])}'] if lost else []
    rows = [str(number) for number, line in enumerate(body.splitlines(), 1) if _has_split_code(line)]
    return losses + ([f'has | within code of a table in line {", ".join(rows[:_NAMED])}'] if rows else [])


def _has_split_code(line: str) -> bool:
    return line.lstrip().startswith('|') and any(
        '|' in code.replace(r'\|', '') for code in _CODE.findall(line)
    )


def _words(html: str) -> Counter[str]:
    return Counter(re.findall(r'\w+', unescape(re.sub('<[^>]*>', '', html))))


def _text(project: Project) -> tuple[str, str, int]:
    return project.body, project.html, project.rendering
