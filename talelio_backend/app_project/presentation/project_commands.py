"""`flask projects`: what an operator does after a release that renders texts in another way."""
from collections import Counter
from collections.abc import Callable

import click
from flask.cli import AppGroup

from talelio_backend.app_project.business.domain.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.ports import MarkdownRenderer, ProjectUnitOfWork
from talelio_backend.app_project.business.use_cases.rerendering import (
    find_losses,
    find_rendered,
    render_again,
)
from talelio_backend.shared.business.errors import BusinessError


def project_commands(unit_of_work: Callable[[], ProjectUnitOfWork], renderer: MarkdownRenderer) -> AppGroup:
    commands = AppGroup('projects', help="Projects' texts.")

    @commands.command('render')
    @click.option('--all', 'even_current', is_flag=True, help='Also those that this release has rendered.')
    @click.option('--dry-run', is_flag=True, help='Change nothing; list the texts that would lose something.')
    def render(even_current: bool, dry_run: bool) -> None:
        """Render again what an earlier release has rendered. It may be stopped, and run again."""
        if dry_run:
            list_losses(even_current)
            return
        outcomes: Counter[bool] = Counter()
        failures = []
        try:
            for project_id in find_rendered(unit_of_work(), even_current=even_current):
                try:
                    outcomes[render_again(unit_of_work(), renderer, project_id)] += 1
                except (TooExpensiveToRender, NotRenderable) as error:
                    # It keeps the HTML that it has; the others' turn comes all the same.
                    failures.append(f'project {project_id}: {error.message}')
        except BusinessError as error:
            raise click.ClickException(f'{error.message}; {outcomes[True]} rendered so far') from error
        finally:
            for failure in failures:
                click.echo(failure, err=True)
        click.echo(
            f'{outcomes[True]} rendered, {outcomes[False]} changed meanwhile and left alone, '
            f'{len(failures)} failed'
        )
        if failures:
            raise click.ClickException('Some projects keep the HTML that they had')

    def list_losses(even_current: bool) -> None:
        number = 0
        for project_id in find_rendered(unit_of_work(), even_current=even_current):
            try:
                losses = find_losses(unit_of_work(), renderer, project_id)
            except (TooExpensiveToRender, NotRenderable) as error:
                losses = [f'keeps its HTML: {error.message}']
            number += bool(losses)
            for loss in losses:
                click.echo(f'project {project_id}: {loss}')
        click.echo(f'{number} would lose something')

    return commands
