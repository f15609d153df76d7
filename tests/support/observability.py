"""The files that Prometheus and Grafana are given."""
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped]

from talelio_backend.settings import PROJECT_FOLDER
from tests.support.missing import skip_outside_ci

FOLDER = PROJECT_FOLDER / '.github' / 'observability'


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / 'alerts.yml').read_text('utf-8'))['groups']
    return [rule for group in groups for rule in group['rules']]


def tried_alerts() -> list[tuple[str, str]]:
    """Which alert is tried, and whether it `fires` or `rests`."""
    tests = yaml.safe_load((FOLDER / 'alerts_test.yml').read_text('utf-8'))['tests']
    return [tuple(test['name'].split(':')[0].split()) for test in tests]


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / 'dashboard.json').read_text('utf-8'))
    return read


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()['panels'] if panel['type'] != 'row']


def expressions() -> Iterator[tuple[str, str]]:
    """What is asked of Prometheus, and by whom."""
    for rule in alerts():
        yield rule['alert'], rule['expr']
    for panel in panels():
        for target in panel['targets']:
            yield panel['title'], target['expr']
    for variable in dashboard()['templating']['list']:
        if variable['type'] == 'query':
            yield variable['name'], variable['definition']


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r'\btalelio_[a-z_]+', re.sub(r'"[^"]*"', '', expression)))


def labels_in(expression: str) -> Iterator[tuple[str, str, str]]:
    """Each metric, label and value that is asked for; of a regular expression its alternatives."""
    for metric, conditions in re.findall(r'(talelio_[a-z_]+)\{([^}]*)\}', expression):
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', conditions):
            for value in values.split('|'):
                yield metric, label, value


def run_promtool(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Prometheus's own tool."""
    promtool = shutil.which('promtool')
    if promtool is None:
        skip_outside_ci('no promtool', 'install prometheus')
    return subprocess.run([promtool, *words], input=given, capture_output=True, text=True, check=False)
