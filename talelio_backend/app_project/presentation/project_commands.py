"""`flask projects`, for use after a release that changes the rendering."""
from collections import Counter
from collections.abc import Callable

import click

from talelio_backend.app_project.business.domain.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_project.business.use_cases.rerendering import (
    find_losses,
    find_projects_to_render,
    rerender,
)
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.presentation.command_options import Commands


def project_commands(unit_of_work: Callable[[], ProjectUnitOfWork], renderer: MarkdownRenderer) -> Commands:
    commands = Commands('projects', help='Manage the texts of projects.')

    @commands.command('render')
    @click.option('--all', 'even_current', is_flag=True, help='Include texts that this release rendered.')
    @click.option('--dry-run', is_flag=True, help='Only list the texts that would lose something.')
    def render(even_current: bool, dry_run: bool) -> None:
        """Render the texts again that an earlier release rendered. Can be interrupted and repeated."""
        if dry_run:
            list_losses(even_current)
            return
        outcomes: Counter[bool] = Counter()
        failures = []
        try:
            for project_id in find_projects_to_render(unit_of_work(), even_current=even_current):
                try:
                    outcomes[rerender(unit_of_work(), renderer, project_id)] += 1
                except (TooExpensiveToRender, NotRenderable) as error:
                    # The project keeps its HTML, and the command continues.
                    failures.append(f'project {project_id}: {error.message}')
        except BusinessError as error:
            raise click.ClickException(f'{error.message}; {outcomes[True]} rendered so far') from error
        finally:
            for failure in failures:
                click.echo(failure, err=True)
        click.echo(
            f'{outcomes[True]} rendered, {outcomes[False]} skipped because they changed meanwhile, '
            f'{len(failures)} failed'
        )
        if failures:
            raise click.ClickException('Some projects keep their old HTML')

    def list_losses(even_current: bool) -> None:
        number = 0
        for project_id in find_projects_to_render(unit_of_work(), even_current=even_current):
            try:
                losses = find_losses(unit_of_work(), renderer, project_id)
            except (TooExpensiveToRender, NotRenderable) as error:
                losses = [f'keeps its HTML: {error.message}']
            number += bool(losses)
            for loss in losses:
                click.echo(f'project {project_id}: {loss}')
        click.echo(f'{number} projects would lose something')

    return commands
