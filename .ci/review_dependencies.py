"""Fail when a change brings in a dependency with a known vulnerability.

Usage: review_dependencies.py BASE HEAD

What GitHub knows of it is asked for with `gh`, which wants GH_TOKEN; GITHUB_REPOSITORY names the repository.
https://docs.github.com/en/rest/dependency-graph/dependency-review
"""
import json
import os
import re
import subprocess
import sys
from typing import Any

LOCK = 'Pipfile.lock'


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def changes(base: str, head: str) -> list[dict[str, Any]]:
    path = f'repos/{os.environ["GITHUB_REPOSITORY"]}/dependency-graph/compare/{base}...{head}'
    pages = json.loads(output_of('gh', 'api', '--paginate', '--slurp', path))
    return [change for page in pages for change in page]


def locked(commit: str) -> set[tuple[str, str]]:
    lock = json.loads(output_of('git', 'show', f'{commit}:{LOCK}'))
    return {(normal(name), package['version'].removeprefix('=='))
            for section in lock.keys() - {'_meta'}
            for name, package in lock[section].items()}


def normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r'[-_.]+', '-', name).lower()


def main(base: str, head: str) -> int:
    added = [change for change in changes(base, head) if change['change_type'] == 'added']
    reviewed = {(normal(change['name']), change['version']) for change in added if change['manifest'] == LOCK}
    # GitHub compares with what both have in common, too.
    new = locked(head) - locked(output_of('git', 'merge-base', base, head).strip())
    for name, version in sorted(new):
        print(f'new: {name} {version}')
    # An empty answer is not a clean one.
    unreviewed = sorted(new - reviewed)
    for name, version in unreviewed:
        print(f'::error file={LOCK}::GitHub has not reviewed {name} {version}: is the dependency graph on?')
    vulnerable = [(change, known) for change in added for known in change['vulnerabilities']]
    for change, known in vulnerable:
        print(
            f'::error file={change["manifest"]}::{change["name"]} {change["version"]}: '
            f'{known["severity"]}, {known["advisory_summary"]} ({known["advisory_url"]})'
        )
    return int(bool(unreviewed or vulnerable))


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
