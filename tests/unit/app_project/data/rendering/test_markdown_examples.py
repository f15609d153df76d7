"""Runs the specifications' examples through the whole pipeline, and sanitizes the expected HTML too."""
import json
import re
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.app_project.data.rendering.markdown_html import to_html
from talelio_backend.app_project.data.rendering.sanitizer import sanitize
from tests.support import html_shape
from tests.support.html_shape import shape_of

FOLDER = Path(html_shape.__file__).with_name('markdown_examples')

_UNKNOWN = 'a tag that is not HTML is text'
_URL = 'a bare URL becomes a link'
COMMONMARK_DIFFERS = {
    150: _UNKNOWN,
    163: _UNKNOWN,
    173: 'an unclosed <style> does not swallow the text',
    201: _UNKNOWN,
    491: _UNKNOWN,
    524: _UNKNOWN,
    536: _UNKNOWN,
    602: _URL,
    608: _URL,
    611: _URL,
    612: _URL,
    613: _UNKNOWN,
    614: _UNKNOWN,
    615: _UNKNOWN,
    617: _UNKNOWN,
    623: _UNKNOWN,
}
GFM_DIFFERS = {
    279: 'the sanitizer recognises tasks by their class',
    280: 'the sanitizer recognises tasks by their class',
    628: 'an FTP URL, which browsers no longer open, is text',
}


def examples(name: str) -> list[Any]:
    loaded = json.loads((FOLDER / name).read_text(encoding='utf-8'))
    return [pytest.param(each, id=f'{each["example"]} {each["section"]}') for each in loaded]


def renders_as_expected(example: dict[str, str]) -> bool:
    expected = sanitize(example['html'].strip('\n'))
    return shape_of(to_html(example['markdown'])) == shape_of(expected)


@pytest.mark.parametrize('example', examples('commonmark.json'))
def test_commonmark_specification(example: dict[str, Any]) -> None:
    assert renders_as_expected(example) == (example['example'] not in COMMONMARK_DIFFERS)


@pytest.mark.parametrize('example', examples('gfm_extensions.json'))
def test_gfm_specification(example: dict[str, Any]) -> None:
    assert renders_as_expected(example) == (example['example'] not in GFM_DIFFERS)


@pytest.mark.parametrize(
    'case', [
        pytest.param(each, id=each['id'])
        for each in json.loads((FOLDER / 'cases.json').read_text(encoding='utf-8'))
    ]
)
def test_rendering_of_cases(case: dict[str, Any]) -> None:
    html = to_html(case['body'])

    for pattern in case['must']:
        assert re.search(pattern, html, re.DOTALL), html
    for pattern in case['must_not']:
        assert not re.search(pattern, html, re.DOTALL), html
