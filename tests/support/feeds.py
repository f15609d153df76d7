"""Holds feeds and sitemaps against what their formats say, and reads them as a feed reader does."""
import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
from jsonschema import Draft202012Validator
from lxml import etree
from lxml.html import fragment_fromstring

_FORMATS = Path(__file__).parent / 'feed_formats'
_ATOM = '{http://www.w3.org/2005/Atom}'
# https://www.rssboard.org/rss-specification: what each must have, and all that these have.
_CHANNEL = {'title', 'link', 'description', 'lastBuildDate', f'{_ATOM}link', 'item'}
_CONTENT = '{http://purl.org/rss/1.0/modules/content/}encoded'
_ITEM = {
    'title', 'link', 'guid', 'pubDate', 'category', 'description', 'enclosure',
    '{http://purl.org/dc/elements/1.1/}creator', _CONTENT
}  # yapf: disable


@cache
def _relax_ng() -> Any:
    return etree.RelaxNG(etree.parse(_FORMATS / 'atom.rng'))


@cache
def _xml_schema() -> Any:
    return etree.XMLSchema(etree.parse(_FORMATS / 'sitemap.xsd'))


def assert_atom(content: bytes) -> Any:
    """Return it as a feed reader understands it."""
    root = etree.fromstring(content)
    _relax_ng().assertValid(root)
    # Sections 4.1.1 and 4.1.2.
    relations = [link.get('rel') for link in root.findall(f'{_ATOM}link')]
    assert sorted(relations) == ['alternate', 'self']
    for entry in root.iter(f'{_ATOM}entry'):
        # Some readers take a `<` in plain text for HTML.
        texts = {name: entry.find(f'{_ATOM}{name}') for name in ('title', 'summary', 'content')}
        assert all(text is None or text.get('type') == 'html' and text.text for text in texts.values())
        _assert_portable(entry.findtext(f'{_ATOM}content'))
        assert [link.get('rel') for link in entry.iter(f'{_ATOM}link')].count('alternate') == 1
    ids = [element.text for element in root.iter(f'{_ATOM}id')]
    assert len(ids) == len(set(ids))
    return parsed(content)


def assert_rss(content: bytes) -> Any:
    """Return it as a feed reader understands it."""
    root = etree.fromstring(content)
    assert (root.tag, root.get('version'), len(root)) == ('rss', '2.0', 1)
    channel = root[0]
    assert {child.tag for child in channel} <= _CHANNEL
    assert all(channel.findtext(name) for name in ('title', 'link', 'description'))
    _assert_rfc_822(channel.findtext('lastBuildDate'))
    for item in channel.iter('item'):
        names = [child.tag for child in item]
        assert set(names) <= _ITEM
        assert all(names.count(name) <= 1 for name in _ITEM - {'category'})
        # Readers that know no content have the description, which comes first.
        assert item.findtext('description')
        assert _CONTENT not in names or names.index('description') < names.index(_CONTENT)
        _assert_portable(item.findtext('description'))
        _assert_portable(item.findtext(_CONTENT))
        _assert_rfc_822(item.findtext('pubDate'))
        for enclosure in item.iter('enclosure'):
            assert set(enclosure.keys()) == {'url', 'length', 'type'} and int(enclosure.get('length')) > 0
    guids = [element.text for element in channel.iter('guid')]
    assert len(guids) == len(set(guids))
    return parsed(content)


def _assert_portable(content: str | None) -> None:
    """What a feed reader shows away from its page has no relative addresses."""
    if content:
        for name, value in _addresses_of(content):
            assert urlsplit(value).scheme, f'{name}="{value}"'


def _addresses_of(content: str) -> Iterator[tuple[str, str]]:
    for element in fragment_fromstring(content, create_parent=True).iter():
        for name in 'href', 'src', 'poster':
            if name in element.attrib:
                yield name, element.get(name)
        for candidate in element.get('srcset', '').split(', '):
            if candidate:
                yield 'srcset', candidate


def _assert_rfc_822(text: str | None) -> None:
    assert text is not None and text.endswith('GMT')
    assert parsedate_to_datetime(text).tzinfo is not None


def assert_json_feed(content: bytes) -> Any:
    document = json.loads(content)
    schema = json.loads((_FORMATS / 'json_feed.json').read_text(encoding='utf-8'))
    Draft202012Validator(schema).validate(document)
    for item in document['items']:
        _assert_portable(item['content_html'])
    return document


def assert_sitemap(content: bytes) -> list[str]:
    """Return the addresses."""
    assert len(content) <= 50 * 1024 * 1024
    root = etree.fromstring(content)
    _xml_schema().assertValid(root)
    return [element.text for element in root.iter('{*}loc')]


def parsed(content: bytes) -> Any:
    feed = feedparser.parse(content, sanitize_html=False, resolve_relative_uris=False)
    assert not feed.bozo, feed.get('bozo_exception')
    return feed
