import re
from html import unescape
from typing import Any

import pytest
from lxml import html as libxml

from talelio_backend.app_project.data.rendering.markdown_html import to_html, to_rendered
from talelio_backend.app_project.presentation.html_forms import STORED, HtmlForm

PLAIN = HtmlForm(highlight=False)
UNIQUE = HtmlForm(unique_ids=True)


def values(name: str, html: str) -> list[str]:
    """As another parser finds them."""
    return [
        element.attrib[name] for element in libxml.fromstring(f'<div>{html}</div>').iter()
        if name in element.attrib
    ]


def project(body: str = '', *, html: str | None = None, id_: int = 7) -> dict[str, Any]:
    rendered = to_rendered(body)
    return {'id': id_, 'html': rendered['html'] if html is None else html, 'toc': rendered['toc']}


def html_of(form: HtmlForm, content: dict[str, Any]) -> str:
    html: str = form.apply(content)['html']
    return html


@pytest.mark.parametrize(
    ('markdown', 'code'),
    [
        ('```python title="a.py"\ndef a(b="<c> & d"): return 1\n```', 'language-python'),
        ('```python hl_lines="1"\nimport a\n\nb = a\n```', 'language-python'),
        ('```json\n{"a": "\xa0\'"}\n```', 'language-json'),
        ('```unknown\na\n```', 'language-unknown'),
    ],
)
def test_code_without_highlighting_is_plain_text(markdown: str, code: str) -> None:
    stored = project(markdown)

    plain = html_of(PLAIN, stored)

    content = re.search(rf'<pre><code class="{code}">([^<]*)</code></pre>', plain)
    assert content and unescape(content[1]) == re.sub('^[^\n]*\n|```$', '', markdown)
    # The name of the file is not code.
    assert ('<span class="filename">a.py</span>' in plain) == ('title=' in markdown)


@pytest.mark.parametrize(
    'markdown',
    [
        '<span class="md-a">a</span> $x$ `b` **c**',
        '<pre><code>a</code> <span class="md-a">b</span></pre>',
        '<pre><code>a <b>b</b> c</code></pre>',
        '<span class="md-a"><pre><code>a</code></pre></span>',
    ],
)
def test_nothing_but_code_changes_without_highlighting(markdown: str) -> None:
    stored = project(markdown)

    assert html_of(PLAIN, stored) == stored['html']


@pytest.mark.parametrize(
    'html', ['<pre><code>' * 100_000, '<pre><code>' + '<span>' * 200_000, '<pre><code>' + 'a' * 1_000_000]
)
def test_code_without_an_end_is_passed_over(html: str) -> None:
    # A quadratic search would not come to an end.
    assert html_of(PLAIN, project(html=html)) == html


BODY = '''# Wood

See [below](#ash), [there](/a#user-content-wood) and this[^1] and that[^1].

## Ash {#ash}

<p id="1-wood"><abbr title=" id=&quot;user-content-x">A</abbr> id="user-content-a" &lt;a id="user-content-b"></p>

```html
<p id="user-content-c">
```

[^1]: A note.
'''


def test_unique_ids_differ_between_projects_and_links_follow() -> None:
    found = [html_of(UNIQUE, project(BODY, id_=id_)) for id_ in (1, 11, 12)]

    ids = [id_ for html in found for id_ in values('id', html)]
    assert len({*ids}) == len(ids) == 3 * len(values('id', to_html(BODY)))
    for html, id_ in zip(found, (1, 11, 12)):
        assert all(each.startswith(f'user-content-{id_}-') for each in values('id', html))
        linked = {href[1:] for href in values('href', html) if href.startswith('#')}
        assert len(linked) == 4 and linked <= {*values('id', html)}
        assert html.replace(f'user-content-{id_}-', 'user-content-') == to_html(BODY)


def test_the_table_of_contents_follows_the_ids() -> None:
    view = project(BODY)

    toc = UNIQUE.apply(view)['toc']

    assert [toc[0]['id'], toc[0]['children'][0]['id']] == ['user-content-7-wood', 'user-content-7-ash']
    assert {toc[0]['id'], toc[0]['children'][0]['id']} <= {*values('id', html_of(UNIQUE, view))}
    assert STORED.apply(view) == view


def test_text_and_other_attributes_keep_what_looks_like_an_id() -> None:
    html = html_of(UNIQUE, project(BODY))

    for text in (
        'id="user-content-a" &lt;a id="user-content-b"', '/a#user-content-wood', ' id=&quot;user-content-x"'
    ):
        assert text in html
