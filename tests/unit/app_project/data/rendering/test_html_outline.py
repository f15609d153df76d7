import pytest

from talelio_backend.app_project.data.rendering.html_outline import EXCERPT_LENGTH, Outline
from talelio_backend.app_project.data.rendering.markdown_html import to_html


def outline(markdown: str) -> Outline:
    return Outline(to_html(markdown))


def nested(markdown: str) -> list[object]:
    return [shape(entry) for entry in outline(markdown).toc]


def shape(entry: object) -> object:
    assert isinstance(entry, dict)
    return [entry['text'], *(shape(child) for child in entry['children'])]


def test_toc_nests_headings_by_level() -> None:
    assert nested('# a\n## b\n### c\n## d\n# e') == [['a', ['b', ['c']], ['d']], ['e']]


def test_toc_allows_skipped_levels() -> None:
    assert nested('### a\n# b\n#### c\n## d\n## e') == [['a'], ['b', ['c'], ['d'], ['e']]]


def test_toc_ids_match_the_html() -> None:
    made = outline('# Über *uns* & `code`\n\n# Über *uns* & `code`\n\n## Set up {#install}')

    assert len(made.toc) == 2
    first, second = made.toc[0], made.toc[1]
    below, = second['children']
    assert (first['id'], first['text']) == ('user-content-über-uns--code', 'Über uns & code')
    assert (second['id'], second['text']) == ('user-content-über-uns--code_1', 'Über uns & code')
    assert (below['id'], below['text']) == ('user-content-install', 'Set up')
    assert first['children'] == below['children'] == []


@pytest.mark.parametrize('markdown', ['', 'text', '```\n# no heading\n```'])
def test_toc_may_be_empty(markdown: str) -> None:
    assert not outline(markdown).toc


@pytest.mark.parametrize(
    ('markdown', 'excerpt'),
    [
        ('', ''),
        ('# Title\n\nFirst *words*\nhere & `there`. <kbd>F1</kbd>\n\nSecond', 'First words here & there. F1'),
        ('- item\n\n    paragraph of an item\n\nFirst', 'First'),
        ('![picture](a.png)\n\nFirst[^1]\n\n[^1]: Note', 'First'),
        ('```\ncode\n```\n\n| a |\n|---|\n| b |\n\nFirst  \nline', 'First line'),
        ('> Quoted', 'Quoted'),
        ('&lt;script&gt; &amp;amp;', '<script> &amp;'),
    ],
)
def test_excerpt_is_the_first_paragraph(markdown: str, excerpt: str) -> None:
    assert outline(markdown).excerpt == excerpt


def test_long_excerpt_ends_after_a_word() -> None:
    excerpt = outline('word, ' * 100).excerpt

    assert excerpt.endswith('word…') and len(excerpt) <= EXCERPT_LENGTH
    assert len(outline('x' * 1000).excerpt) == EXCERPT_LENGTH


@pytest.mark.parametrize('text', ['我用 Python 写了一个小程序，' * 40, f'我用 Python {"写" * 400}', 'Wort, ' * 100])
def test_long_excerpt_is_nearly_as_long_as_it_may_be(text: str) -> None:
    excerpt = outline(text).excerpt

    assert 200 <= len(excerpt) <= EXCERPT_LENGTH
    assert text.startswith(excerpt[:-1]) and excerpt.endswith('…')
    assert excerpt[-2] not in ' ,，'


@pytest.mark.parametrize(
    ('markdown', 'words'),
    [
        ('', 0),
        ("Three words' length", 3),
        ("don't well-known node.js", 3),
        ('a **b** c\n\n# d\n\n```\ne f\n```', 6),
        ('日本語の椅子', 3),
        ('Смотри — слово', 2),
    ],
)
def test_word_count(markdown: str, words: int) -> None:
    assert outline(markdown).words == words
