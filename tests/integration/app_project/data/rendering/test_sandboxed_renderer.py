# pylint: disable=redefined-outer-name
from collections.abc import Iterator
from contextlib import closing

import pytest

from talelio_backend.app_project.business.domain.errors import NotRenderable, TooExpensiveToRender
from talelio_backend.app_project.business.ports import MarkdownRenderer
from talelio_backend.app_project.data.rendering.sandboxed_renderer import (
    SandboxedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker
from tests.support.hostile_markdown import ENDLESS, HOSTILE
from tests.support.waiting import wait_until

KIB = 1024


@pytest.fixture(scope='module')
def renderer() -> Iterator[MarkdownRenderer]:
    worker = markdown_worker(cpu_seconds=60, wall_seconds=600)
    yield SandboxedMarkdownRenderer(worker)
    worker.close()


@pytest.fixture(scope='module')
def impatient_renderer() -> Iterator[MarkdownRenderer]:
    """A renderer with a low limit of time, to get through many hostile texts quickly."""
    worker = markdown_worker(cpu_seconds=0.1, wall_seconds=600)
    yield SandboxedMarkdownRenderer(
        worker, hosts=TrustedHosts(own=['*.site.example'], embedded=['video.example'])
    )
    worker.close()


def test_render(renderer: MarkdownRenderer) -> None:
    rendered = renderer.render('# Über <script>alert(1)</script>uns\n\nEin *Satz*.')

    assert rendered == {
        'html': '<h1 id="user-content-über-alert1uns">Über uns</h1>\n<p>Ein <em>Satz</em>.</p>',
        'excerpt': 'Ein Satz.',
        'toc': [{
            'id': 'user-content-über-alert1uns',
            'text': 'Über uns',
            'children': []
        }],
        'words': 4,
        'warnings': [{
            'reason': 'element_with_content',
            'line': 1,
            'text': '<script>'
        }],
    }


def test_trusted_hosts_reach_the_worker() -> None:
    hosts = TrustedHosts(own=['www.site.example'], embedded=['video.example'])
    text = '[a](https://www.site.example)\n\n<iframe src="https://video.example/1"></iframe>'

    with closing(markdown_worker()) as worker:
        html = SandboxedMarkdownRenderer(worker, hosts=hosts).render(text)['html']

    assert html.startswith(
        '<p><a href="https://www.site.example">a</a></p>\n<iframe src="https://video.example/1" '
    )


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_text_is_rendered_or_refused(impatient_renderer: MarkdownRenderer, name: str) -> None:
    for size in (10 * KIB, 100 * KIB, 256 * KIB):
        try:
            impatient_renderer.render(HOSTILE[name](size))
        except TooExpensiveToRender:
            # A longer text would fail too.
            break
    wait_until(lambda: still_renders(impatient_renderer), 'a good text is rendered')


@pytest.mark.parametrize('name', ENDLESS)
def test_slow_text_is_refused(impatient_renderer: MarkdownRenderer, name: str) -> None:
    with pytest.raises(TooExpensiveToRender):
        impatient_renderer.render(HOSTILE[name](256 * KIB))
    wait_until(lambda: still_renders(impatient_renderer), 'a good text is rendered')


def still_renders(renderer: MarkdownRenderer) -> bool:
    try:
        return renderer.render('*a*')['html'] == '<p><em>a</em></p>'
    except TooExpensiveToRender:
        # The limit of time is very low.
        return False


@pytest.fixture
def renderer_by(request: pytest.FixtureRequest) -> Iterator[MarkdownRenderer]:
    """A renderer whose worker runs one of the tests' functions."""

    worker = SandboxedWorker(
        f'tests.support.worker_functions:{request.param}',
        cpu_seconds=60,
        memory_bytes=32 * KIB * KIB,
        wall_seconds=600
    )
    yield SandboxedMarkdownRenderer(worker)
    worker.close()


@pytest.mark.parametrize('renderer_by', ['fail'], indirect=True)
def test_parser_error_is_logged_without_the_text(
    renderer_by: MarkdownRenderer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotRenderable):
        renderer_by.render('private')

    assert [record.getMessage() for record in caplog.records] == ['Rendering a text failed: LookupError']


@pytest.mark.parametrize('renderer_by', ['die'], indirect=True)
def test_killed_worker_means_unavailable(renderer_by: MarkdownRenderer) -> None:
    with pytest.raises(Unavailable):
        renderer_by.render('SIGKILL')
