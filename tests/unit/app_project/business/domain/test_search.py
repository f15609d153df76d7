import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talelio_backend.app_project.business.domain.search import QUERY_LENGTH, parse_terms
from talelio_backend.shared.business.errors import Invalid
from tests.support.languages import FOUND, NOT_FOUND


@pytest.mark.parametrize(
    ('query', 'text', 'found'),
    [
        ('chair', 'A chair', True),
        ('CHAIR', 'A Chair', True),
        ('chai', 'Chairs', True),
        ('hair', 'chair', False),
        ('chair table', 'a table and a chair', True),
        ('chair table', 'a chair', False),
        ('C++', 'in C++ and', True),
        ('C++', 'in C and', False),
        ('c', 'chair', False),
        ('c', 'in C and', True),
        ('C#', 'with C#.', True),
        ('foo_bar', 'call foo_bar()', True),
        ('foo_bar', 'foo and bar', False),
        ('bar', 'foo_bar', True),
        ('node.js', 'Node.js 18', True),
        ('node', 'node.js', True),
        ('js', 'node.js', True),
        ('grüße', 'GRÜSSE Grüße', True),
        ("' OR 1=1 --", 'x or 1=1', True),
    ],
)
def test_search_matches_word_prefixes(query: str, text: str, found: bool) -> None:
    assert parse_terms(query).match(text) is found


@pytest.mark.parametrize(('text', 'query'), FOUND)
def test_words_of_any_language_match_and_are_marked(text: str, query: str) -> None:
    terms = parse_terms(query)

    snippet = terms.snippet(text)

    assert terms.match(text)
    assert '<mark>' in snippet
    assert re.sub('</?mark>', '', snippet) == text


@pytest.mark.parametrize(('text', 'query'), NOT_FOUND)
def test_other_words_of_any_language_do_not_match(text: str, query: str) -> None:
    assert not parse_terms(query).match(text)


@pytest.mark.parametrize(
    ('query', 'message'),
    [
        ('', 'must have a letter or a digit'),
        (' .,-!', 'must have a letter or a digit'),
        ('🎉', 'must have a letter or a digit'),
        ('x' * (QUERY_LENGTH + 1), 'must have at most 200 characters'),
        ('a ' * 17, 'must have at most 16 words'),
    ],
)
def test_invalid_queries_are_refused(query: str, message: str) -> None:
    with pytest.raises(Invalid, match=f"'q' {message}"):
        parse_terms(query)


@pytest.mark.parametrize(
    ('query', 'text', 'snippet'),
    [
        ('chair', 'A *chair* of ash', 'A <mark>chair</mark> of ash'),
        ('chai', '# Chairs\n\nand a chair', '<mark>Chairs</mark> and a <mark>chair</mark>'),
        ('b', '<b> & "b"', '&lt;<mark>b</mark>&gt; &amp; &quot;<mark>b</mark>&quot;'),
        ('C++', 'in C++', 'in <mark>C++</mark>'),
        ('etagere', 'Une *Étagère* en chêne', 'Une <mark>Étagère</mark> en chêne'),
        ('cafe', 'im Cafe\u0301, spät', 'im <mark>Cafe\u0301</mark>, spät'),
        ('gras', 'Graß und Ärger', '<mark>Graß</mark> und Ärger'),
        ('ÄRGER', 'ﬃ, Ärger', 'ﬃ, <mark>Ärger</mark>'),
        ('桌子', '木工桌子制作桌子', '木工<mark>桌子</mark>制作<mark>桌子</mark>'),
        ('用python写', '我用Python 写程序', '我<mark>用Python 写</mark>程序'),
        ('python', '我用Python写程序', '我用<mark>Python</mark>写程序'),
        ('ไม้', 'เก้าอี้ไม้สัก', 'เก้าอี้<mark>ไม้</mark>สัก'),
        ('ガラス', 'ｶﾞﾗｽの', '<mark>ｶﾞﾗｽ</mark>の'),
        ('キ', '1㌔', '1<mark>㌔</mark>'),
        ('x', 'nothing', 'nothing'),
        ('x', '', ''),
    ],
)
def test_snippet_marks_matches(query: str, text: str, snippet: str) -> None:
    assert parse_terms(query).snippet(text) == snippet


def test_snippet_excerpts_long_text() -> None:
    text = 'before ' * 50 + 'chair ' + 'after ' * 50

    snippet = parse_terms('chair').snippet('', text)

    assert re.fullmatch(r'…(before )+<mark>chair</mark>( after)+…', snippet)
    assert len(snippet) < 300


def test_snippet_excerpts_long_text_without_spaces() -> None:
    text = '我用 Python ' + '写程序' * 100 + '桌子' + '做木工' * 100

    snippet = parse_terms('桌子').snippet(text)

    assert re.fullmatch('…[写程序]{80}<mark>桌子</mark>[做木工]{158}…', snippet)


def test_snippet_is_cut_between_letters() -> None:
    family = '👨‍👩‍👧'
    text = family * 40 + '桌子' + family * 60

    snippet = parse_terms('桌子').snippet(text)

    assert re.fullmatch(f'…(?:{family})+<mark>桌子</mark>(?:{family})+…', snippet)


@settings(max_examples=400)
@given(st.text(max_size=60), st.text(max_size=300))
def test_snippet_is_safe_html_for_any_input(query: str, text: str) -> None:
    try:
        snippet = parse_terms(query).snippet(text)
    except Invalid:
        return
    bare = snippet.replace('<mark>', '').replace('</mark>', '')
    assert snippet.count('<mark>') == snippet.count('</mark>')
    assert html.escape(html.unescape(bare)) == bare
