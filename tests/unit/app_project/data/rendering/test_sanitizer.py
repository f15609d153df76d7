import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talelio_backend.app_project.data.rendering.markdown_html import to_html
from talelio_backend.app_project.data.rendering.sanitizer import sanitize
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from tests.support.safe_page import TAGS, assert_safe


def hostile_html() -> list[str]:
    """Return known ways to get a script, a frame, a style or a URL past a filter."""
    text = Path(__file__).with_name('hostile_html.txt').read_text(encoding='utf-8')
    escape = re.compile(r'\\(?:n|t|x[0-9a-f]{2}|u[0-9a-f]{4})')
    return [
        escape.sub(lambda match: match[0].encode().decode('unicode_escape'), line)
        for line in text.splitlines()
    ]


HOSTILE = hostile_html()


@pytest.mark.parametrize('hostile', HOSTILE)
def test_sanitizing_removes_known_attacks(hostile: str) -> None:
    for wrapper in ['{}', 'a {} b', '<b>{}', '<ul><li>{}</li></ul>', '<table><tr><td>{}']:
        assert_safe(sanitize(wrapper.replace('{}', hostile)))


@pytest.mark.parametrize('hostile', HOSTILE)
def test_rendering_removes_known_attacks(hostile: str) -> None:
    for wrapper in ['{}', 'a {} b', '- {}', '> {}', '# {}', '[{}](a)', 'a[^1]\n\n[^1]: {}', '|{}|b|\n|-|-|']:
        assert_safe(to_html(wrapper.replace('{}', hostile)))


PIECES = st.sampled_from(
    HOSTILE + [f'<{tag}>' for tag in sorted(TAGS)] + [f'</{tag}>' for tag in sorted(TAGS)] +
    '<svg> </svg> <math> <mtext> <style> </style> <title> <object> <template> <form> <applet> <!-- '
    '--> <![CDATA[ ]]> &lt; &amp;lt; < > & " \' # a é <h1\tid=a> <b\tid=user-content-a> <i\tid=a-2> '
    '<a\thref=#a> <p\tclass=md-a> <li\tclass=task-list-item> <input> <pre>\n\n \n'.split(' ') + [' ']
)  # yapf: disable


@settings(max_examples=800)
@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map(''.join))
def test_sanitizing_is_safe_and_idempotent(html: str) -> None:
    assert_safe(sanitize(html))


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map('\n\n'.join))
def test_rendering_is_safe_for_any_text(markdown: str) -> None:
    assert_safe(to_html(markdown.encode(errors='replace').decode()))


@pytest.mark.parametrize(
    'name', 'script style template title textarea noscript iframe object svg math xmp'.split()
)
def test_content_of_non_text_elements_is_dropped(name: str) -> None:
    assert sanitize(f'a<{name}>hidden</{name}>b') == 'ab'


def test_dropped_elements_keep_their_content() -> None:
    assert sanitize('<form><blink>a</blink></form>') == 'a'


@pytest.mark.parametrize(
    'name', 'location constructor document __proto__ onclick x length user_content'.split()
)
def test_ids_do_not_shadow_globals(name: str) -> None:
    assert sanitize(f'<p id="{name}">a</p>') == f'<p id="user-content-{name}">a</p>'
    assert sanitize(f'<img name="{name}" src="a">') == '<img src="a" loading="lazy" decoding="async">'


def test_ids_are_unique_and_links_are_prefixed() -> None:
    assert sanitize('<p id="a">1</p><p id="a">2</p><p id="a-2">3</p><a href="#a">4</a>') == (
        '<p id="user-content-a">1</p><p id="user-content-a-2">2</p><p id="user-content-a-2-2">3</p>'
        '<a href="#user-content-a">4</a>'
    )


@pytest.mark.parametrize(
    ('href', 'cleaned'),
    [
        ('#', '#'),
        ('#top', '#top'),
        (' \n#a', '#user-content-a'),
        ('#user-content-a', '#user-content-a'),
        ('a#b', 'a#b'),
        ('/a?b=c#d', '/a?b=c#d'),
        ('https://example.com/#a', 'https://example.com/#a'),
        ('mailto:a@example.com', 'mailto:a@example.com'),
        ('tel:+15550100', 'tel:+15550100'),
        ('sms:+15550100', 'sms:+15550100'),
    ]
)  # yapf: disable
def test_link_schemes(href: str, cleaned: str) -> None:
    rel = ' rel="noopener nofollow"' if cleaned.startswith('http') else ''
    assert sanitize(f'<a href="{href}">a</a>') == f'<a href="{cleaned}"{rel}>a</a>'


@pytest.mark.parametrize(
    ('href', 'own'),
    [
        ('https://www.site.example', True),
        ('HTTP://WWW.Site.Example:8000/a?b#c', True),
        ('https://maker.sites.example/a', True),
        ('https://site.example', False),
        ('https://www.site.example.evil.example', False),
        ('https://www.site.example@evil.example', False),
        (r'https://www.site.example\@evil.example', False),
        ('https://evil.example/https://www.site.example', False),
        ('//www.site.example', False),
    ],
)
def test_links_to_the_site_itself_have_no_rel(href: str, own: bool) -> None:
    hosts = TrustedHosts(own=['www.site.example', '*.sites.example'])

    for rel in '', ' rel="me"':
        added = [*(['me'] if rel else []), *([] if own else ['noopener', 'nofollow'])]
        written = f' rel="{" ".join(added)}"' if added else ''
        assert sanitize(f'<a href="{href}"{rel}>a</a>', hosts) == f'<a href="{href}"{written}>a</a>'


@pytest.mark.parametrize(
    'href', ['https://a.example', 'HTTP://a.example', '//a.example', r'/\a.example', ' https://a.example']
)
def test_external_links_have_nofollow(href: str) -> None:
    assert sanitize(f'<a href="{href}" rel="follow">a</a>').endswith(' rel="noopener nofollow">a</a>')
    assert sanitize(f'<a rel="Me friend" href="{href}">a</a>').endswith(' rel="me noopener nofollow">a</a>')


@pytest.mark.parametrize(
    'html',
    [
        '<p dir="rtl" lang="ar">مرحبا <bdi>a</bdi></p>',
        '<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>',
        '<video src="https://a.example/b.mp4" poster="https://a.example/b.jpg" controls=""></video>',
        '<video controls=""><source src="https://a.example/b.webm" type="video/webm">b</video>',
        '<audio src="https://a.example/b.mp3" controls=""></audio>',
        '<abbr title="b">a</abbr> <kbd>c</kbd> <cite>d</cite> <q>e</q> <time datetime="2026-01-01">f</time>',
        '<figure class="gallery"><img src="a" alt="" loading="lazy" decoding="async"></figure>',
        '<table><tbody><tr><th scope="row">a</th></tr></tbody></table>',
    ]
)  # yapf: disable
def test_meaningful_html_is_kept(html: str) -> None:
    assert sanitize(html) == html


@pytest.mark.parametrize(
    ('html', 'cleaned'),
    [
        ('<video src="http://a.example/b.mp4" autoplay></video>', '<video controls=""></video>'),
        ('<video poster="data:image/png,a" src="//a.example/b"></video>', '<video controls=""></video>'),
        ('<audio src="javascript:alert(1)"></audio>', '<audio controls=""></audio>'),
        ('<p dir="up">a</p>', '<p>a</p>'),
    ]
)  # yapf: disable
def test_media_require_https(html: str, cleaned: str) -> None:
    assert sanitize(html) == cleaned


def test_classes_of_the_page_are_removed() -> None:
    assert sanitize('<p class="fixed k inset-0 md-note  language-c++ highlight z-50">a</p>'
                    ) == ('<p class="k md-note language-c++ highlight">a</p>')
    assert sanitize('<p class="fixed">a</p>') == '<p>a</p>'


def test_checkboxes_are_kept_only_in_tasks() -> None:
    box = '<input type="checkbox" disabled="">'
    task = '<li class="task-list-item">'
    assert sanitize(f'{box}a<p>{box}</p><ul><li>{box}</li></ul>') == 'a<p></p><ul><li></li></ul>'
    assert sanitize(f'<ul>{task}{box}{box} a</li></ul>') == f'<ul>{task}{box} a</li></ul>'
    assert sanitize(f'<ul>{task}\n<p>{box}</p></li></ul>') == f'<ul>{task}\n<p>{box}</p></li></ul>'


@pytest.mark.parametrize(
    ('attributes', 'cleaned'),
    [
        ('src="a"', 'src="a" loading="lazy" decoding="async"'),
        ('decoding="sync" src="a" loading="eager"', 'src="a" loading="lazy" decoding="async"'),
        ('decoding="async" src="a"', 'decoding="async" src="a" loading="lazy"'),
        (
            """alt='x" loading="lazy" y' src="a" srcset="b 2x" sizes="1px" fetchpriority="high" """,
            'alt="x&quot; loading=&quot;lazy&quot; y" src="a" loading="lazy" decoding="async"'
        ),
    ]
)  # yapf: disable
def test_images_are_lazy(attributes: str, cleaned: str) -> None:
    assert sanitize(f'<img {attributes}>') == f'<img {cleaned}>'
