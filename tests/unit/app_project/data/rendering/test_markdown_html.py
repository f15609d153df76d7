import re
import subprocess
import sys
from html import unescape

import pytest

from talelio_backend.app_project.data.rendering import markdown_html
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.workers.sandboxed_worker import LimitExceeded


def rendered(markdown: str) -> str:
    return markdown_html.to_html(markdown)


def code(text: str, language: str = '') -> str:
    class_ = f' class="language-{language}"' if language else ''
    return f'<div class="highlight"><pre><code{class_}>{text}\n</code></pre></div>'


def headings(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<h[1-6] id="user-content-([^"]*)">(.*?)</h[1-6]>', html)


@pytest.mark.parametrize(
    ('heading', 'name'),
    [
        ('Install', 'install'),
        ('Über uns', 'über-uns'),
        ('U\u0308ber uns', 'über-uns'),
        ('日本語', '日本語'),
        ('Что нового?', 'что-нового'),
        ('1.2.0 (2024-05-01)', '120-2024-05-01'),
        ('`code` & *more*', 'code--more'),
        ('C++', 'c'),
        ('🎉', 'section'),
        ('❤️ 🎉', 'section'),
        ('?!', 'section'),
        ('', 'section'),
        ('location', 'location'),
        ('Press <kbd>F1</kbd>', 'press-f1'),
    ]
)  # yapf: disable
def test_heading_id_keeps_its_script(heading: str, name: str) -> None:
    assert [id for id, _ in headings(rendered(f'# {heading}'))] == [name]


def test_equal_headings_get_different_ids() -> None:
    html = rendered('# a\n\n## a\n\n# 🎉\n\n# ✨\n\n# a_1\n\n# User content a\n\n<p id="a">b</p>')

    assert [id for id, _ in headings(html)] == ['a', 'a_1', 'section', 'section_1', 'a_2', 'user-content-a']
    assert '<p id="user-content-a-2">b</p>' in html


def test_heading_accepts_attributes() -> None:
    assert rendered('# Set up {#install .md-big .fixed}\n\n[a](#install)') == (
        '<h1 id="user-content-install" class="md-big">Set up</h1>\n'
        '<p><a href="#user-content-install">a</a></p>'
    )


def test_braces_without_attributes_are_text() -> None:
    assert rendered('# GET /users {id}') == '<h1 id="user-content-get-users-id">GET /users {id}</h1>'
    assert rendered('*a*{b} {c}') == '<p><em>a</em>{b} {c}</p>'
    assert '<td>a {b}</td>\n<td class="md-c">d</td>' in rendered('|a|b|\n|-|-|\n|a {b}|d {.md-c}|')


def test_paragraphs_lists_and_links_accept_attributes() -> None:
    assert rendered('a\n{: .md-b #c }') == '<p class="md-b" id="user-content-c">a</p>'
    assert rendered('- a\n{.md-b}\n- [c](d){.md-e title="f"}') == (
        '<ul>\n<li class="md-b">a</li>\n'
        '<li><a href="d" class="md-e" title="f">c</a></li>\n</ul>'
    )


def test_fragment_links_match_heading_ids() -> None:
    html = rendered('[a](#über-uns)\n\n# Über uns')

    assert '<a href="#user-content-über-uns"' in html
    assert '<h1 id="user-content-über-uns">' in html


def test_code_is_highlighted_by_classes() -> None:
    assert rendered('```python\nreturn 1\n```'
                    ) == code('<span class="k">return</span> <span class="mi">1</span>', 'python')


@pytest.mark.parametrize('info', ['', 'mermaid', 'text', 'env', 'a++', '{.svelte}'])
def test_unknown_language_is_kept_and_not_guessed(info: str) -> None:
    assert rendered(f'```{info}\n#!/bin/sh\n<b> & "c"\n```'
                    ) == code('#!/bin/sh\n&lt;b&gt; &amp; "c"', info.strip('{.}'))


def test_code_is_preserved_exactly() -> None:
    text = '\n\tif "a" < \'b\' and c & d:\xa0\n\n'

    for fence in ('```python', '```', '``` {.python title="a" hl_lines="1"}'):
        shown = rendered(f'{fence}\n{text}\n```')
        inner = re.sub('<[^>]*>', '', shown.partition('<code')[2].partition('>')[2])
        assert unescape(inner) == f'{text}\n'


def test_fence_supports_title_and_marked_lines() -> None:
    html = rendered('``` text title="a.txt" hl_lines="1" linenums="1"\na\n```')

    assert '<span class="filename">a.txt</span>' in html
    assert '<span class="hll">a\n</span>' in html
    assert 'table' not in html


def test_fence_may_contain_a_shorter_fence() -> None:
    assert rendered('````\n```\na\n```\n````') == code('```\na\n```')


def test_indented_code_may_contain_a_fence() -> None:
    assert rendered('    ```\n    a\n    ```\n') == code('```\na\n```')


BLOCK = code('a')
FENCES = {
    'a:\n```\na\n```\nb':
    f'<p>a:</p>\n{BLOCK}\n<p>b</p>',
    '# a\n```\na\n```\n# b':
    f'<h1 id="user-content-a">a</h1>\n{BLOCK}\n<h1 id="user-content-b">b</h1>',
    '```\na\n```\n```\na\n```':
    f'{BLOCK}\n{BLOCK}',
    '> b\n> ```\n> a\n> ```\n> c':
    f'<blockquote>\n<p>b</p>\n{BLOCK}\n<p>c</p>\n</blockquote>',
    '- b\n\n    ```\n    a\n    ```\n- c':
    f'<ul>\n<li>\n<p>b</p>\n{BLOCK}\n</li>\n<li>\n<p>c</p>\n</li>\n</ul>',
    '- b\n    ```\n    a\n    ```\n- c':
    f'<ul>\n<li>b\n{BLOCK}\n</li>\n<li>c</li>\n</ul>',
    '1. b\n\n    ```\n    a\n    ```\n\n2. c':
    f'<ol>\n<li>\n<p>b</p>\n{BLOCK}\n</li>\n<li>\n<p>c</p>\n</li>\n</ol>',
    '- b\n  ```\n  a\n  ```\n- c':
    f'<ul>\n<li>b\n{BLOCK}\n</li>\n<li>c</li>\n</ul>',
    '- b\n    - c\n\n        ```\n        a\n        ```\n- d':
    f'<ul>\n<li>b\n<ul>\n<li>\n<p>c</p>\n{BLOCK}\n</li>\n</ul>\n</li>\n<li>d</li>\n</ul>',
}


@pytest.mark.parametrize('markdown', FENCES)
def test_fence_is_a_block_in_any_context(markdown: str) -> None:
    assert rendered(markdown) == FENCES[markdown]


def test_table_supports_alignment_and_escaped_pipes() -> None:
    html = rendered('| a | b | c |\n|:--|:-:|--:|\n| `x\\|y` | \\| | **c** [d](e) |\n```\na\n```')

    assert '<th align="left">a</th>\n<th align="center">b</th>\n<th align="right">c</th>' in html
    assert '<td align="left"><code>x|y</code></td>\n<td align="center">|</td>' in html
    assert '<strong>c</strong> <a href="e">d</a></td>' in html
    assert html.endswith('</table>\n' + BLOCK)


def test_footnotes_have_links_and_backlinks() -> None:
    html = rendered('a[^1] b[^1] c[^long-name]\n\n[^1]: d\n[^long-name]: e\n\n    f')

    for mark, note in [('fnref:1', 'fn:1'), ('fnref2:1', 'fn:1'), ('fnref:long-name', 'fn:long-name')]:
        assert f'<sup id="user-content-{mark}"><a class="footnote-ref" href="#user-content-{note}">' in html
        assert f'<li id="user-content-{note}">' in html
        assert f'<a class="footnote-backref" href="#user-content-{mark}">' in html


def test_unreferenced_footnote_is_kept() -> None:
    html = rendered('a[^1]\n\n[^2]: lonely\n\n[^1]: b')

    assert html.index('<li id="user-content-fn:1">') < html.index('<li id="user-content-fn:2">')
    assert '<p>lonely</p>' in html


def test_strikethrough_takes_two_tildes() -> None:
    assert rendered('~~old~~ costs ~5') == '<p><del>old</del> costs ~5</p>'


@pytest.mark.parametrize(
    ('markdown', 'html'),
    [
        ('**重点：**请先量尺寸', '<strong>重点：</strong>请先量尺寸'),
        ('他说**“很好。”**然后', '他说<strong>“很好。”</strong>然后'),
        ('これは**「重要」**です', 'これは<strong>「重要」</strong>です'),
        ('**스크립트(script)**라고', '<strong>스크립트(script)</strong>라고'),
        ('桌子~~旧的。~~新的', '桌子<del>旧的。</del>新的'),
        ('木 ** 工', '木 ** 工'),
        ('👍**a.**b', '👍**a.**b'),
        ('桌_子_', '桌_子_'),
    ]
)  # yapf: disable
def test_emphasis_needs_no_spaces_in_chinese_japanese_and_korean(markdown: str, html: str) -> None:
    assert rendered(markdown) == f'<p>{html}</p>'


@pytest.mark.parametrize('mark', ['[!tip] Sharp *tools*', '[!TIP]- Sharp *tools*'])
def test_alert_accepts_a_title(mark: str) -> None:
    title = '<div class="markdown-alert markdown-alert-tip">\n<p class="markdown-alert-title">Sharp <em>tools</em></p>'

    assert rendered(f'> {mark}\n> cut well.\n>\n> > A quote.\n\nAfter') == (
        f'{title}\n<p>cut well.</p>\n<blockquote>\n<p>A quote.</p>\n</blockquote>\n</div>\n<p>After</p>'
    )
    assert rendered(f'> {mark}') == f'{title}\n</div>'
    assert rendered('> [!other] Sharp') == '<blockquote>\n<p>[!other] Sharp</p>\n</blockquote>'


def test_task_list() -> None:
    assert rendered('- [ ] a\n- [x] **b**\n- c') == (
        '<ul class="task-list">\n'
        '<li class="task-list-item"><input type="checkbox" disabled=""> a</li>\n'
        '<li class="task-list-item"><input type="checkbox" disabled="" checked="">'
        ' <strong>b</strong></li>\n<li>c</li>\n</ul>'
    )


def test_image_accepts_a_size() -> None:
    assert rendered('![a](b.png "c"){width=300 height=20 loading=lazy .md-right style=x}') == (
        '<p><img src="b.png" alt="a" title="c" width="300" height="20" loading="lazy"'
        ' class="md-right" decoding="async"></p>'
    )


@pytest.mark.parametrize(
    'html',
    [
        'a <kbd>Ctrl</kbd>+<kbd>C</kbd> H<sub>2</sub>O x<sup>2</sup> <del>a</del> <ins>b</ins>',
        '<mark>a</mark> <abbr title="b">a</abbr> <code>a</code> <small>b</small> a &lt; b &amp; c',
    ]
)  # yapf: disable
def test_allowed_inline_elements_are_kept(html: str) -> None:
    assert rendered(html) == f'<p>{html}</p>'


@pytest.mark.parametrize(
    'html',
    [
        '<details open="">\n<summary>a</summary>\nb\n</details>',
        '<figure><img src="a.png" alt="b" loading="lazy" decoding="async">'
        '<figcaption>c</figcaption></figure>',
        '<dl><dt>a</dt><dd>b</dd></dl>',
        '<div class="md-note"><p>a</p></div>',
        '<ol start="3"><li>a</li></ol>',
        '<table><tbody><tr><td colspan="2" rowspan="3">a</td></tr></tbody></table>',
    ]
)  # yapf: disable
def test_allowed_blocks_are_kept(html: str) -> None:
    assert rendered(html) == html


def test_lists_keep_type_and_start() -> None:
    assert rendered('3. a\n4. b\n\n- c\n\na  \nb') == (
        '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n<ul>\n<li>c</li>\n</ul>\n<p>a<br>\nb</p>'
    )


def test_windows_line_ends_and_empty_text() -> None:
    assert rendered('a\r\n\r\nb\r\n') == '<p>a</p>\n<p>b</p>'
    assert rendered('') == ''


def test_no_state_between_texts() -> None:
    rendered('# a\n\nb[^1] [c]\n\n[^1]: d\n[c]: e')

    assert rendered('# a\n\nb[^1] [c]') == '<h1 id="user-content-a">a</h1>\n<p>b[^1] [c]</p>'


def test_output_size_is_limited() -> None:
    with pytest.raises(LimitExceeded):
        rendered('<p>' + 'a' * markdown_html.MAX_HTML_BYTES + '</p>')


def test_dense_code_is_not_highlighted() -> None:
    data = '[1,2,"a"],' * 20_000

    assert rendered(f'```json\n{data}\n```') == code(data, 'json')


def test_renderer_avoids_large_imports() -> None:
    """There is one renderer per worker, and these modules would add half of its memory."""
    script = f'import sys, {markdown_html.__name__}; print(*sys.modules)'
    environ = {'PYTHONPATH': str(PROJECT_FOLDER)}
    printed = subprocess.run([sys.executable, '-c', script],
                             env=environ,
                             check=True,
                             capture_output=True,
                             text=True)

    imported = set(printed.stdout.split())
    assert markdown_html.__name__ in imported
    assert not imported & {
        'urllib.request', 'importlib.metadata', 'http.client', 'email', 'ssl', 'emoji', 'linkify_it'
    }
