import pytest

from talelio_backend.app_project.data.rendering.dropped_html import MAX_WARNINGS
from talelio_backend.app_project.data.rendering.markdown_html import to_html, to_rendered


def warnings_of(markdown: str) -> list[tuple[str, int, str]]:
    found = to_rendered(markdown)['warnings']
    return [(each['reason'], each['line'], each['text']) for each in found]


@pytest.mark.parametrize(
    ('markdown', 'html'),
    [
        ('Vec<String> and <T> </T>', '<p>Vec&lt;String&gt; and &lt;T&gt; &lt;/T&gt;</p>'),
        ('<my-widget>\n*a*', '<p>&lt;my-widget&gt;\n<em>a</em></p>'),
        ('<div>\n<foo>a</foo>\n</div>', '<div>\n&lt;foo&gt;a&lt;/foo&gt;\n</div>'),
        ('<image src=a>', '<p>&lt;image src=a&gt;</p>'),
        ('<style>\na\n\n*b*', '<p>&lt;style&gt;\na</p>\n<p><em>b</em></p>'),
        ('a <textarea> *b*\n\nc', '<p>a &lt;textarea&gt; <em>b</em></p>\n<p>c</p>'),
        ('<!-- a\n\n*b*', '<p>&lt;!-- a</p>\n<p><em>b</em></p>'),
        ('<svg><svg></svg> a', '<p>&lt;svg&gt; a</p>'),
        ('a <script>b</script> c <!-- <script> --> d', '<p>a  c  d</p>'),
        ('`<style>` </style>', '<p><code>&lt;style&gt;</code> </p>'),
    ],
)
def test_unknown_and_unclosed_tags_are_text(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@pytest.mark.parametrize(
    ('markdown', 'expected'),
    [
        ('a\n\n<form>b</form>', [('element', 3, '<form>')]),
        ('a\n*b*\n<script>c</script>', [('element_with_content', 3, '<script>')]),
        ('<div>\n<p onclick="a()">b</p>\n</div>', [('attribute', 2, 'onclick="a()"')]),
        ('---\na: b\n---\n[c](ftp://d)', [('front_matter', 1, 'a'), ('address', 4, 'href="ftp://d"')]),
        (
            '---\n# c\ntitle: A chair\n"tags":\n  - wood: 1\n- ash: 2\ndraft : true\ntitle: b\n---\nc: d', [
                ('front_matter', 1, 'title, tags, draft')
            ]
        ),
        ('+++\r\ntitle = "A chair: b"\r\n[a]\r\nweight=3\r\n+++\r\n', [('front_matter', 1, 'title, weight')]),
        ('# a {.fixed .md-b style=c}', [('attribute', 1, 'class="fixed"'), ('attribute', 1, 'style="c"')]),
        ('<video src="http://a" autoplay>', [('address', 1, 'src="http://a"'), ('attribute', 1, 'autoplay')]),
        ('a[^b c]\n\n[^b c]: d', [('footnote_name', 3, '[^B C]')]),
        ('> ' * 120 + 'a', [('nesting', 1, '')]),
        ('<x> <b class="md-a" dir="rtl" id="c">d</b> <!-- e --> [f](#c){target=_blank}', []),
        ('| a |\n|:-:|\n| b |\n\n- [x] c[^1]\n\n[^1]: d\n\n> [!TIP]\n> e', []),
    ],
)
def test_dropped_html_causes_warnings(markdown: str, expected: list[tuple[str, int, str]]) -> None:
    assert warnings_of(markdown) == expected


def test_number_and_length_of_warnings_are_limited() -> None:
    warnings = warnings_of(f'<b onclick="{"a" * 1000}">' * 1000)

    assert len(warnings) == MAX_WARNINGS
    assert all(len(text) <= 80 for _, _, text in warnings)
