"""Publishing and listing: hostile Markdown, sizes, and lists of any length."""
import json
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from psycopg2.extensions import connection

from tests.support.answers import error_of, ok
from tests.support.database import execute
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi

PROJECTS = '/v1/projects'
SAFE_SCHEMES = {'', 'http', 'https', 'mailto'}
HOSTILE = [
    '<script>alert(1)</script>',
    '<scr<script>ipt>alert(1)</scr</script>ipt>',
    '<img src=x onerror=alert(1)>',
    '<IMG """><SCRIPT>alert("XSS")</SCRIPT>">',
    '<svg/onload=alert(1)><animate onbegin=alert(1)></svg>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><button formaction="javascript:alert(1)">x</button></form>',
    '<style>@import "https://evil.example"</style><p style="position:fixed;inset:0">x</p>',
    '<base href="https://evil.example"><meta http-equiv=refresh content="0;url=//evil.example">',
    '<object data="data:text/html,x"></object><embed src="javascript:alert(1)">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt&colon;alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href=" \x01javascript:alert(1)">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    '<a href="vbscript:x" onclick="alert(1)" target=_blank>x</a>',
    '[x](javascript:alert(1))',
    '[x](javascript&#58;alert(1))',
    '[x](JAVASCRIPT:alert(1) "title")',
    '[x](<java\tscript:alert(1)>)',
    '![x](javascript:alert(1))',
    '![x](data:image/svg+xml;base64,PHN2Zz4=)',
    '<javascript:alert(1)>',
    '[x]: javascript:alert(1)\n\n[x]',
    '[x](https://a.example "\\" onmouseover=\\"alert(1)")',
    '# x {onclick=alert(1) style=color:red}',
    '```html onload=alert(1)\n<script>alert(1)</script>\n```',
    '`<script>alert(1)</script>`',
    '| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |',
    '[^1]\n\n[^1]: <img src=x onerror=alert(1)>',
    '- [ ] <input autofocus onfocus=alert(1)>',
    '<details ontoggle=alert(1) open>x</details>',
    '<!--[if IE]><script>alert(1)</script><![endif]-->',
    '<![CDATA[<script>alert(1)</script>]]>',
    '<?php echo 1 ?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '\x02stx\x03klzzwxh:0000\x03',
]


class Inspector(HTMLParser):
    """Notes what a browser would act on."""

    tags = frozenset(
        'a blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr img input li ol p pre '
        'section span strong sub summary sup table tbody td th thead tr ul'.split()
    )
    attributes = frozenset(
        'align alt checked class decoding disabled height href id loading open rel sizes src srcset '
        'start title type width'.split()
    )

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.tags:
            self.found.append(tag)
        for name, value in attrs:
            if name not in self.attributes:
                self.found.append(f'{tag} {name}')
            elif name in ('href', 'src'):
                scheme = urlsplit((value or '').strip()).scheme
                if scheme not in SAFE_SCHEMES:
                    self.found.append(f'{tag} {name}={value}')
            elif name == 'id':
                self.ids.append(value or '')
        if tag == 'a':
            self.links.append(dict(attrs))

    def handle_comment(self, data: str) -> None:
        self.found.append(f'comment {data}')

    def handle_pi(self, data: str) -> None:
        self.found.append(f'instruction {data}')


def inserted(database: connection, member: Member, number: int, *, size: int = 10) -> list[int]:
    """Put so many projects with HTML of that size straight into the database, and return their ids."""
    statement = """
        INSERT INTO projects (user_id, created_at, title, body, html)
        SELECT %s, now(), 'Title ' || n, 'body', repeat('h', %s)
        FROM generate_series(1, %s) n RETURNING id
    """
    with database.cursor() as cursor:
        cursor.execute(statement, (member.account['user']['id'], size, number))
        return [row[0] for row in cursor.fetchall()]


def read_all_pages(api: ServedApi, path: str | None) -> list[list[int]]:
    """The ids on each page, as long as there is a link to a next one."""
    pages = []
    while path is not None:
        response = api.get(path)
        pages.append([project['id'] for project in ok(response)])
        path = response.links.get('next', {}).get('url')
        assert len(pages) < 1000
    return pages


@pytest.mark.parametrize('body', HOSTILE, ids=lambda body: repr(body)[:40])
def test_hostile_markdown_is_kept_as_it_is_and_its_html_is_harmless(
    api: ServedApi, author: Member, body: str
) -> None:
    project = publish(api, author, 'A title', body)

    assert project['body'] == body
    assert not Inspector(project['html']).found


@pytest.mark.parametrize('body', HOSTILE[:4], ids=lambda body: repr(body)[:40])
def test_a_hostile_title_is_plain_text(api: ServedApi, author: Member, body: str) -> None:
    project = publish(api, author, body, '')

    assert (project['title'], project['html']) == (body, '')


@pytest.mark.parametrize(
    'body',
    [
        '>' * 5000 + ' x',
        '> ' * 2000 + 'x',
        '\n'.join('  ' * depth + '- x' for depth in range(300)),
        '*a **a ' * 5000,
        '_' * 20_000 + 'a',
        '`' * 20_000,
        '|' * 1500 + '\n' + '|-' * 1500 + '|\n' + '|\n' * 1500,
        '&#' * 50_000,
        '<!--' * 20_000,
        '#' * 100_000,
    ],
    ids=lambda body: repr(body)[:12],
)
def test_markdown_that_asks_for_much_is_rendered_within_bounds_or_refused(
    api: ServedApi, author: Member, body: str
) -> None:
    response = api.post(PROJECTS, {'title': 'A title', 'body': body}, headers=author.bearer)

    if response.status_code == HTTPStatus.CREATED:
        html = response.json()['html']
        assert len(html.encode()) <= 2 * 1024 * 1024
        assert not Inspector(html).found
    else:
        message = error_of(response, HTTPStatus.BAD_REQUEST)
        assert message == 'The body is too complex to render'


def test_markdown_without_end_is_refused_and_reads_are_answered_meanwhile(
    api: ServedApi, author: Member
) -> None:
    # It would take a minute of computing, and is given some seconds.
    body = {'title': 'A title', 'body': '<div>' * 50_000}
    with ThreadPoolExecutor(1) as pool:
        costly = pool.submit(api.post, PROJECTS, body, headers=author.bearer)
        for _ in range(20):
            ok(api.get('/health/ready'))
        is_read_first = not costly.done()

    message = error_of(costly.result(), HTTPStatus.BAD_REQUEST)
    assert message == 'The body is too complex to render'
    assert is_read_first
    assert publish(api, author, 'A title', '*text*')['html'] == '<p><em>text</em></p>'


def test_a_link_leaks_no_referrer_and_gives_no_rank(api: ServedApi, author: Member) -> None:
    body = '[a](https://a.example) <https://b.example> <a href="/c" rel="opener">c</a>'

    links = Inspector(publish(api, author, 'A title', body)['html']).links

    assert [link['href'] for link in links] == ['https://a.example', 'https://b.example', '/c']
    assert [link.get('rel') for link in links] == ['noopener nofollow', 'noopener nofollow', None]


def test_headings_have_ids_that_are_unique_and_shadow_nothing(api: ServedApi, author: Member) -> None:
    body = '# Title\n\n## Title\n\n# Location\n\n# \U0001f600\n\n<p id="location">x</p>\n\n<p id="Title">'

    ids = Inspector(publish(api, author, 'A title', body)['html']).ids

    assert len(set(ids)) == len(ids) == 6
    assert all(id_.startswith('user-content-') for id_ in ids)


@pytest.mark.parametrize(
    ('title', 'message'),
    [
        ('', "'title' must not be blank"),
        (' \t\r\n\u00a0\u3000', "'title' must not be blank"),
        ('x' * 301, "'title' must have at most 300 characters"),
        ('x' * 1_000_000, "'title' must have at most 300 characters"),
    ],
    ids=['empty', 'blank', '301', '1 MB'],
)
def test_a_title_that_breaks_a_rule_is_refused(
    api: ServedApi, member: Member, title: str, message: str
) -> None:
    response = api.post(PROJECTS, {'title': title, 'body': 'x'}, headers=member.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == message
    assert ok(api.get(member.projects_path)) == []


@pytest.mark.parametrize('letter', ['x', 'ä', '\U0001f600'], ids=['1 byte', '2 bytes', '4 bytes'])
def test_a_body_may_have_256_kibibytes_and_no_more(api: ServedApi, member: Member, letter: str) -> None:
    # In words of a line, as texts have them.
    words = (letter * 9 + ' ') * 9 + letter * 9 + '\n'
    whole = words * (256 * 1024 // len(words.encode()))
    whole += 'x' * (256 * 1024 - len(whole.encode()))

    too_long = api.post(PROJECTS, {'title': 'x', 'body': f'{whole}x'}, headers=member.bearer)
    project = publish(api, member, 'x' * 200, whole)

    message = error_of(too_long, HTTPStatus.BAD_REQUEST)
    assert message == "'body' must have at most 256 KiB of text"
    assert project['body'] == whole
    assert ok(api.get(member.projects_path)) == [project]


def test_a_body_of_the_largest_size_may_be_escaped_to_the_last_character(
    api: ServedApi, member: Member
) -> None:
    text = 'x' * (256 * 1024)
    escaped = ''.join(f'\\u{ord(character):04x}' for character in text)

    response = api.post(
        PROJECTS,
        data=f'{{"title": "x", "body": "{escaped}"}}'.encode(),
        headers=member.bearer | {'Content-Type': 'application/json'}
    )

    assert ok(response, HTTPStatus.CREATED)['body'] == text


def test_who_the_author_is_says_the_token_and_not_the_body(api: ServedApi, member: Member) -> None:
    victim = join(api)
    extra = {
        'id': 1,
        'user_id': victim.account['user']['id'],
        'created_at': '2000-01-01 00:00:00.000000',
        'updated_at': '2000-01-01 00:00:00.000000',
        'html': '<script>alert(1)</script>',
    }

    response = api.post(PROJECTS, {'title': 'A', 'body': 'b'} | extra, headers=member.bearer)

    project = ok(response, HTTPStatus.CREATED)
    assert project['user_id'] == member.account['user']['id']
    assert project['id'] > 1
    assert not project['created_at'].startswith('2000') and project['updated_at'] is None
    assert project['html'] == '<p>b</p>'
    assert ok(api.get(victim.projects_path)) == []


def test_a_project_of_an_existing_id_is_never_changed(api: ServedApi, member: Member) -> None:
    victim = join(api)
    theirs = publish(api, victim, 'Theirs', 'theirs')

    body = {'id': theirs['id'], 'title': 'Mine', 'body': 'mine'}
    ok(api.post(PROJECTS, body, headers=member.bearer), HTTPStatus.CREATED)

    assert ok(api.get(victim.projects_path)) == [theirs]


def test_projects_of_two_authors_who_publish_at_once_are_not_mixed_up(api: ServedApi) -> None:
    members = [join(api) for _ in range(4)]

    def publish_some(member: Member) -> None:
        for number in range(8):
            title = f'{member.person.username} {number}'
            project = publish(api, member, title, f'*{title}*')
            assert project['html'] == f'<p><em>{title}</em></p>'

    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(publish_some, members))

    for member in members:
        projects = ok(api.get(member.projects_path))
        assert [project['title'] for project in projects
                ] == [f'{member.person.username} {number}' for number in reversed(range(8))]
        assert {project['user_id'] for project in projects} == {member.account['user']['id']}


@pytest.mark.parametrize(('query', 'pages'), [('', 2), ('?limit=1000', 2), ('?limit=97', 13)])
def test_the_pages_of_a_long_list_hold_each_project_once(
    api: ServedApi, database: connection, member: Member, query: str, pages: int
) -> None:
    ids = inserted(database, member, 1200)
    # Between them, those of somebody else.
    inserted(database, join(api), 5)
    ids += inserted(database, member, 3)

    found = read_all_pages(api, member.projects_path + query)

    assert len(found) == pages
    assert [id_ for page in found for id_ in page] == sorted(ids, reverse=True)


def test_a_list_of_just_one_page_has_no_next_one(
    api: ServedApi, database: connection, member: Member
) -> None:
    inserted(database, member, 1000)

    response = api.get(member.projects_path)

    assert len(ok(response)) == 1000
    assert 'Link' not in response.headers


def test_a_project_that_comes_meanwhile_shifts_no_page(
    api: ServedApi, database: connection, member: Member
) -> None:
    ids = inserted(database, member, 6)
    first = api.get(f'{member.projects_path}?limit=3')
    publish(api, member, 'Newer', '')

    second = api.get(first.links['next']['url'])

    seen = [project['id'] for project in [*ok(first), *ok(second)]]
    assert seen == sorted(ids, reverse=True)


def test_pages_of_large_projects_are_shorter_and_still_hold_each_once(
    api: ServedApi, database: connection, member: Member
) -> None:
    ids = inserted(database, member, 20, size=1024 * 1024)

    found = read_all_pages(api, member.projects_path)

    # A page ends with the one that goes beyond 16 MiB.
    assert [len(page) for page in found] == [16, 4]
    assert [id_ for page in found for id_ in page] == sorted(ids, reverse=True)


def test_a_link_to_the_next_page_keeps_the_query(
    api: ServedApi, database: connection, member: Member
) -> None:
    ids = inserted(database, member, 3)

    url = api.get(f'{member.projects_path}?status=all&limit=2').links['next']['url']

    assert url == f'{member.projects_path}?status=all&limit=2&before={ids[1]}'
    assert [project['id'] for project in ok(api.get(url))] == ids[:1]


def test_an_unknown_parameter_is_refused_by_name(api: ServedApi, author: Member) -> None:
    response = api.get(f'{author.projects_path}?limit=2&page=%22%3E%0d%0a%26')

    assert error_of(response, HTTPStatus.BAD_REQUEST).startswith("Unknown parameter 'page'; ")


@pytest.mark.parametrize(
    ('query', 'name', 'most'),
    [
        ('limit=0', 'limit', 1000),
        ('limit=1001', 'limit', 1000),
        ('limit=-1', 'limit', 1000),
        ('limit=', 'limit', 1000),
        ('limit=ten', 'limit', 1000),
        ('limit=1e2', 'limit', 1000),
        ('limit=%D9%A1', 'limit', 1000),
        ('limit=' + '9' * 1000, 'limit', 1000),
        ('before=0', 'before', 2147483647),
        ('before=x', 'before', 2147483647),
        ('before=2147483648', 'before', 2147483647),
        ('before=%00', 'before', 2147483647),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_what_can(
    api: ServedApi, author: Member, query: str, name: str, most: int
) -> None:
    response = api.get(f'{author.projects_path}?{query}')

    message = error_of(response, HTTPStatus.BAD_REQUEST)
    assert message == f"'{name}' must be a whole number from 1 to {most}"


def test_projects_go_with_their_author(api: ServedApi, database: connection, member: Member) -> None:
    publish(api, member, 'A title', '')
    assert execute(database, 'DELETE FROM accounts WHERE id = %s', member.account['id']) == 1

    query = 'SELECT FROM projects WHERE user_id = %s'
    assert execute(database, query, member.account['user']['id']) == 0
    error_of(api.get(member.projects_path), HTTPStatus.BAD_REQUEST)


def test_a_list_is_json_of_utf_8(api: ServedApi, member: Member) -> None:
    publish(api, member, 'Grüße \U0001f600', '')

    content = api.get(member.projects_path).content

    assert json.loads(content.decode('utf-8'))[0]['title'] == 'Grüße \U0001f600'
