import re

import pytest
from lxml import html as libxml

from talelio_backend.app_project.data.rendering.markdown_html import to_html, to_rendered
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts

HOSTS = TrustedHosts(own=['www.site.example'], embedded=['video.example', 'www.site.example'])
FORCED = {
    'sandbox': 'allow-scripts allow-same-origin allow-presentation allow-popups',
    'allow': 'fullscreen; picture-in-picture; encrypted-media',
    'loading': 'lazy',
    'referrerpolicy': 'strict-origin-when-cross-origin',
}
GOOD = '<iframe src="https://video.example/1"></iframe>'


def frames(markdown: str) -> list[dict[str, str]]:
    """As another parser finds them."""
    root = libxml.fromstring(f'<div>{to_html(markdown, HOSTS)}</div>')
    return [dict(frame.attrib) for frame in root.iter('iframe')]


@pytest.mark.parametrize(
    ('markdown', 'kept'),
    [
        (GOOD, {'src': 'https://video.example/1'}),
        ("<IFRAME\nSRC='https://Video.Example:443/1?a=b&amp;c=d#e'\n></iframe >",
         {'src': 'https://Video.Example:443/1?a=b&c=d#e'}),
        ('<iframe width="560" height="50%" title="A &quot;chair&quot; <3"\nsrc="https://video.example">\n'
         '</iframe>',
         {'src': 'https://video.example', 'title': 'A "chair" <3', 'width': '560', 'height': '50%'}),
        ('See <iframe src="https://video.example/1"></iframe> there', {'src': 'https://video.example/1'}),
        ('> <figure>\n> <iframe src="https://video.example/1"></iframe>\n> </figure>',
         {'src': 'https://video.example/1'}),
        ('<iframe src="https://video.example/1" sandbox="allow-top-navigation" allow="camera" onload="a()" '
         'srcdoc="<script>" style="position: fixed" loading="eager" width="calc(9)" name="a"></iframe>',
         {'src': 'https://video.example/1'}),
    ],
)  # yapf: disable
def test_a_frame_of_a_trusted_host_is_kept_with_attributes_of_our_own(
    markdown: str, kept: dict[str, str]
) -> None:
    assert frames(markdown) == [kept | FORCED]


@pytest.mark.parametrize(
    'source',
    [
        'http://video.example/1',
        '//video.example/1',
        '/1',
        '',
        'https://other.example/1',
        'https://video.example.other.example/1',
        'https://other-video.example/1',
        'https://video.example@other.example/1',
        'https://user:password@video.example/1',
        r'https://other.example\@video.example/1',
        r'https://video.example\.other.example/1',
        'https:video.example/1',
        'https:/video.example/1',
        ' https://video.example/1',
        'https://video.example:8443/1',
        'https://video.example&#46;other.example/1',
        'https://video.example/1&quot;&gt;',
        'https://vi\u00addeo.example/1',
        'javascript:alert(1)//https://video.example/',
        'data:text/html,https://video.example/',
        # The sandbox does not hold a page of the same origin.
        'https://www.site.example/1',
    ],
)
def test_a_frame_of_any_other_address_is_dropped_with_a_warning(source: str) -> None:
    rendered = to_rendered(f'a\n\n<iframe src="{source}"></iframe>', HOSTS)

    assert rendered['html'] == '<p>a</p>\n'
    assert [(each['reason'], each['line']) for each in rendered['warnings']] == [('element_with_content', 3)]


def test_no_frame_is_kept_unless_a_host_is_trusted() -> None:
    rendered = to_rendered(GOOD)

    assert (rendered['html'], rendered['warnings']) == (
        '', [{
            'reason': 'element_with_content',
            'line': 1,
            'text': '<iframe src="https://video.example/1">'
        }]
    )


@pytest.mark.parametrize(
    'markdown',
    [
        f'<a title="{GOOD}">a</a>',
        f'<a title="x\n\n{GOOD}',
        f'<a title=\'{GOOD}\' href="https://a.example">a</a>',
        f'<img alt="{GOOD}" src="a">',
        f'<!-- {GOOD} -->',
        f'<script>{GOOD}</script>',
        f'<style>{GOOD}',
        f'<textarea>{GOOD}</textarea>',
        f'<svg><p>{GOOD}</p></svg>',
        f'[a](b "{GOOD}")',
        f'![{GOOD}](b)',
        f'`{GOOD}`',
        f'```html\n{GOOD}\n```',
        f'<pre><code class="language-html">{GOOD}</code></pre>',
        f'<table>{GOOD}<tr><td>{GOOD}',
        f'<p {GOOD}>',
        f'<iframe src="https://video.example/1">{GOOD}</iframe>',
        f'<iframe src="https://video.example/1" title="</iframe><script>alert(1)</script>{GOOD}"></iframe>',
        '<iframe src="https://video.example/1"><script>alert(1)</script></iframe>',
        '<iframe src="https://video.example/1" src="https://other.example"></iframe>',
        '<iframe src="https://other.example" src="https://video.example/1"></iframe>',
        '<iframe src="https://video.example/1" <script>alert(1)</script>></iframe>',
        f'\ue000{"0" * 32}-0\ue000 {GOOD}',
    ],
)  # yapf: disable
def test_no_place_of_a_frame_brings_anything_else(markdown: str) -> None:
    html = to_html(markdown, HOSTS)

    kept = re.sub(
        r'<iframe (src="https://video\.example/1")( title="[^"<>]*")? sandbox="[^"]*" [^<>]*></iframe>', '',
        html
    )
    assert '<iframe' not in kept and '<script' not in kept
    root = libxml.fromstring(f'<div>{html}</div>')
    assert not [name for element in root.iter() for name in element.attrib if name.startswith('on')]
    assert {frame.attrib['src'] for frame in root.iter('iframe')} <= {'https://video.example/1'}


def test_a_dropped_attribute_of_a_frame_is_a_warning() -> None:
    frame = '<iframe src="https://video.example/1" allow="camera" style="a" frameborder=0></iframe>'

    rendered = to_rendered(f'a\n\n<div>\n{frame}', HOSTS)

    assert rendered['warnings'] == [{'reason': 'attribute', 'line': 4, 'text': 'style="a"'}]
    assert (rendered['words'], rendered['excerpt']) == (1, 'a')
