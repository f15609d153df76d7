"""Rendering stored texts again after a change of the renderer. `updated_at` stays the same."""
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from operator import attrgetter

from talelio_backend.app_project.business.domain.project import RENDERING
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork

# How many words or lines to name per project.
_NAMED = 10
_CODE = re.compile('`+[^`]+`+')

# How many ids to read at once. Each project has its own transactions.
BATCH = 100

_text = attrgetter('body', 'html', 'rendering')


def find_projects_to_render(uow: ProjectUnitOfWork, *, even_current: bool) -> Iterator[int]:
    """Yield the ids of the projects that an earlier release rendered; if `even_current`, also this one.

    Texts that a later release rendered are left out.
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


def rerender(uow: ProjectUnitOfWork, renderer: MarkdownRenderer, project_id: int) -> bool:
    """Return False without a change if the project was saved or deleted in the meantime.

    Raises the renderer's errors.
    """
    with uow:
        project = uow.projects.get(project_id)
        if project is None:
            return False
        before = _text(project)
    # Between the transactions, so that no connection is held.
    rendered = renderer.render(project.body)
    with uow:
        project = uow.projects.get_for_update(project_id)
        if project is None or _text(project) != before:
            return False
        project.set_rendered(rendered)
        uow.projects.save(project)
        uow.commit()
    return True


def find_losses(uow: ProjectUnitOfWork, renderer: MarkdownRenderer, project_id: int) -> list[str]:
    """Return what a new rendering would lose: words, and table cells that a `|` within code would split.

    Raises the renderer's errors.
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
