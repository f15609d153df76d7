import json

from tests.benchmarks.results import Row, Spread, Target
from tests.benchmarks.table import as_json, as_markdown, as_text

FLOOR = Row(group='reads', name='floor: constant', unit='/s', measured=Spread(6260, 6000, 6500))
CASE = Row(
    group='reads',
    name='a list',
    unit='/s',
    measured=Spread(5634, 5400, 5850),
    ratio=Spread(0.9, 0.88, 0.923),
    target=Target(0.85),
    server_ms=0.301,
    database_ms=0.0,
    p50_ms=2.5,
    p99_ms=12.34,
)
MEMORY = Row(
    group='mixed',
    name='memory',
    unit='MiB',
    measured=Spread(250, 250, 250),
    target=Target(200, at_most=True)
)


def test_the_table_for_people_has_columns() -> None:
    lines = as_text([FLOOR, CASE, MEMORY]).splitlines()

    assert len({len(line) for line in lines}) == 1
    assert lines[2].split() == [
        'a', 'list', '5,634', '(5,400–5,850)', '/s', '0.90', '(0.88–0.92)', '≥', '0.85', 'met', '0.30', '0',
        '2.50', '12.3'
    ]
    assert lines[3].split() == ['memory', '250', 'MiB', '≤', '200', 'MISSED']


def test_the_table_for_readme_is_markdown() -> None:
    lines = as_markdown([FLOOR, CASE]).splitlines()

    assert {line.count('|') for line in lines} == {9}
    assert lines[1] == '| --- | --: | --: | --: | --: | --: | --: | --: |'
    assert lines[2] == '| floor: constant | 6,260 (6,000–6,500) /s |  |  |  |  |  |  |'


def test_the_same_is_there_for_programs() -> None:
    content = json.loads(as_json([FLOOR, CASE, MEMORY], {'rounds': 5}))

    assert content['settings'] == {'rounds': 5}
    assert [row['is_met'] for row in content['rows']] == [None, True, False]
    assert content['rows'][1]['ratio'] == {'median': 0.9, 'low': 0.88, 'high': 0.923}
