import json
import re
from pathlib import Path

import pytest

from talelio_backend.app_project.data.rendering.markdown_html import to_html
from talelio_backend.app_project.data.rendering.portable_html import to_portable_html
from tests.support import html_shape

FOLDER = Path(html_shape.__file__).with_name('markdown_examples')
ADDRESS = re.compile(' (?:href|src|poster)="[^"]*"')
PAGE = 'https://www.example.com/maker/a-chair'

EXTENSIONS = '''
# Wood {#wood .md-wide}

Text[^1] :tada: $x^2$ ![a](a.jpg){width=400} <kbd title="a &quot;b&quot; <c>">k</kbd> <ruby>木<rt>き</rt></ruby>

[^1]: A note

> [!NOTE]
> It's

term
: what it means

- [x] done

| a | b |
|:--|--:|
| 1 | 2 |

```python title="a.py" hl_lines="1"
print("it's <b>")
```

<details open>

<video src="a.mp4" poster="a.jpg" width="4" loop></video>

</details>
'''


@pytest.mark.parametrize(
    ('html', 'absolute'),
    [
        ('<a href="#wood">a</a>', f'<a href="{PAGE}#wood">a</a>'),
        ('<a href="">a</a>', f'<a href="{PAGE}">a</a>'),
        ('<a href="?a=1&amp;b=2">a</a>', f'<a href="{PAGE}?a=1&amp;b=2">a</a>'),
        ('<a href="plan.pdf">a</a>', '<a href="https://www.example.com/maker/plan.pdf">a</a>'),
        ('<a href="/plan.pdf">a</a>', '<a href="https://www.example.com/plan.pdf">a</a>'),
        ('<a href="//cdn.example.com/a">a</a>', '<a href="https://cdn.example.com/a">a</a>'),
        ('<img src="../a.jpg" alt="">', '<img src="https://www.example.com/a.jpg" alt="">'),
        (
            '<video src="a.mp4" poster="a.jpg" controls=""></video>',
            '<video src="https://www.example.com/maker/a.mp4" '
            'poster="https://www.example.com/maker/a.jpg" controls=""></video>'
        ),
        (
            '<iframe src="https://example.com/?a=1&amp;b=2" title="a" width="4" sandbox="allow-scripts" '
            'allow="fullscreen" loading="lazy" referrerpolicy="origin"></iframe>',
            '<a href="https://example.com/?a=1&amp;b=2">https://example.com/?a=1&amp;b=2</a>'
        ),
        ('<bdo dir="rtl">a</bdo><ruby><rb>a</rb><rtc><rt>b</rt></rtc></ruby>', 'a<ruby>a<rt>b</rt></ruby>'),
        (
            '<audio controls=""><source src="/a.mp3"></audio>',
            '<audio controls=""><source src="https://www.example.com/a.mp3"></audio>'
        ),
    ],
)  # yapf: disable
def test_html_is_fit_for_other_pages(html: str, absolute: str) -> None:
    assert to_portable_html(html, PAGE) == absolute


@pytest.mark.parametrize(
    'html',
    [
        '<a href="https://example.com/?a=1&amp;b=2#c" rel="noopener nofollow">a</a>',
        '<a href="mailto:a@example.com">a</a> <a href="tel:1">b</a> <a href="sms:1">c</a>',
        '<img src="https://example.com/a.jpg" alt="" loading="lazy" decoding="async" width="8" height="6" '
        'srcset="https://example.com/a.webp 1w, https://example.com/a.jpg 8w" sizes="8px">',
        '<li class="task-list-item"><input type="checkbox" disabled="" checked=""> a</li>',
    ],
)
def test_everything_else_stays(html: str) -> None:
    assert to_portable_html(html, PAGE) == html


@pytest.mark.parametrize('name', ['commonmark.json', 'gfm_extensions.json'])
def test_all_of_a_rendered_text_but_its_addresses_stays(name: str) -> None:
    for example in json.loads((FOLDER / name).read_text(encoding='utf-8')):
        html = to_html(example['markdown'])
        assert ADDRESS.sub('', to_portable_html(html, PAGE)) == ADDRESS.sub('', html)


def test_all_that_the_extensions_render_stays() -> None:
    html = to_html(EXTENSIONS)

    assert ADDRESS.sub('', to_portable_html(html, PAGE)) == ADDRESS.sub('', html)
