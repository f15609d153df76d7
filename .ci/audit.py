"""Fail when a locked package has a known vulnerability, and when that could not be found out.

Usage: audit.py

pip-audit asks OSV about Pipfile.lock and what only fuzzing or a soak's picture needs, npm asks its registry
about the lock of the client's generator. Either takes silence for innocence: pip-audit ends well when it has
skipped every package, and whatever answers "nothing known" to everything, as a mirror may, clears all. So
each package must be in the answer, and beside them a decoy is asked about, which is known to be vulnerable.

AUDIT_OSV_URL is another OSV than the usual one.
"""
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PYTHON_LOCK = Path('Pipfile.lock')
FUZZING_LOCK = Path('tests/fuzz/requirements.txt')
SOAK_LOCK = Path('tests/soak/requirements.txt')
NPM_LOCK = Path('.ci/client/package-lock.json')
ACCEPTED = Path('.github/accepted_vulnerabilities.toml')
PIP_AUDIT = Path(sys.executable).with_name('pip-audit')
# Of which many vulnerabilities have been known for years.
PYTHON_DECOY = ('django', '2.0')
NPM_DECOY = ('lodash', '4.17.4')
# Seconds.
TIMEOUT = 300


class NotAudited(Exception):
    """What was not looked at is not known to be sound."""


@dataclass(frozen=True)
class Advisory:
    package: str
    # All its names.
    ids: frozenset[str]
    what: str


# Python


def normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r'[-_.]+', '-', name).lower()


def locked_for_python(lock: Path) -> set[tuple[str, str]]:
    """Whatever its markers say: a package that this machine does without is installed elsewhere."""
    text = lock.read_text(encoding='utf-8')
    if lock.suffix == '.txt':
        pinned = re.findall(r'^([\w.-]+)==(\S+)', text, re.MULTILINE)
        return {(normal(name), version) for name, version in pinned}
    content = json.loads(text)
    return {(normal(name), package['version'].removeprefix('=='))
            for section in content.keys() - {'_meta'}
            for name, package in content[section].items()}


def audit_python(lock: Path) -> list[Advisory]:
    packages = locked_for_python(lock)
    if not packages:
        raise NotAudited('there is no package in it')
    answers = ask_osv(packages | {PYTHON_DECOY})
    unanswered = [f'{name} {version}' for name, version in sorted(packages - answers.keys())]
    if unanswered:
        raise NotAudited(f'pip-audit has left out {", ".join(unanswered)}')
    if not answers.get(PYTHON_DECOY):
        raise NotAudited(f'OSV takes {" ".join(PYTHON_DECOY)} for sound, so it does not know what it should')
    return [
        Advisory(
            package=f'{name} {version}',
            ids=frozenset([found['id'], *found.get('aliases', [])]),
            what=f'{found["description"]} (mended in {", ".join(found["fix_versions"]) or "none"})'
        ) for name, version in sorted(packages) for found in answers[name, version]
    ]


def ask_osv(packages: set[tuple[str, str]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    with TemporaryDirectory() as folder:
        requirements = Path(folder) / 'requirements.txt'
        requirements.write_text(''.join(f'{name}=={version}\n' for name, version in sorted(packages)))
        command = [
            str(PIP_AUDIT), f'--requirement={requirements}', '--no-deps', '--disable-pip', '--format=json',
            '--progress-spinner=off', f'--cache-dir={folder}', '--vulnerability-service=osv'
        ]
        if 'AUDIT_OSV_URL' in os.environ:
            command.append(f'--osv-url={os.environ["AUDIT_OSV_URL"]}')
        report, said = report_of(command)
    # It passes over an advisory that it cannot read.
    for line in said.splitlines():
        if 'pip_audit._service' in line and 'WARNING' in line:
            raise NotAudited(line)
    if 'dependencies' not in report:
        raise NotAudited(last_line(said))
    return {(normal(each['name']), each['version']): each['vulns']
            for each in report['dependencies'] if 'skip_reason' not in each}


# npm


def audit_npm(lock: Path) -> list[Advisory]:
    content = json.loads(lock.read_text(encoding='utf-8'))
    project = content['packages']['']
    name, version = NPM_DECOY
    if f'node_modules/{name}' in content['packages']:
        raise NotAudited(f'{name} is in use, so another decoy is needed')
    content['packages'][''] = project | {'dependencies': project.get('dependencies', {}) | {name: version}}
    content['packages'][f'node_modules/{name}'] = {'version': version}
    with TemporaryDirectory() as folder:
        (Path(folder) / 'package.json').write_text(json.dumps(content['packages']['']), encoding='utf-8')
        (Path(folder) / 'package-lock.json').write_text(json.dumps(content), encoding='utf-8')
        report, said = report_of(['npm', 'audit', '--package-lock-only', '--json', f'--prefix={folder}'])
    if 'auditReportVersion' not in report:
        raise NotAudited(report.get('message') or last_line(said))
    # All but the project itself.
    audited, packages = report['metadata']['dependencies']['total'], len(content['packages']) - 1
    if audited != packages:
        raise NotAudited(f'npm has looked at {audited} of {packages} packages')
    if name not in report['vulnerabilities']:
        raise NotAudited(
            f'npm takes {name} {version} for sound, so its registry does not know what it should'
        )
    return [
        Advisory(
            package=found['name'],
            ids=frozenset([each['url'].rpartition('/')[2]]),
            what=f'{each["title"]}, {each["severity"]} (found in {each["range"]})'
        ) for found in report['vulnerabilities'].values() if found['name'] != name
        # The others are names of packages that it comes by.
        for each in found['via'] if isinstance(each, dict)
    ]


# Both


def report_of(command: list[str]) -> tuple[dict[str, Any], str]:
    """Return what was printed as JSON, or nothing, and what was said beside it."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAudited(str(error)) from error
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = {}
    return report if isinstance(report, dict) else {}, done.stderr


def last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), 'there was no answer')


def accepted(today: date) -> set[str]:
    entries = tomllib.loads(ACCEPTED.read_text(encoding='utf-8')).get('accepted', [])
    return {entry['id'] for entry in entries if entry['reason'] and entry['until'] >= today}


def complaints() -> Iterator[str]:
    lived_with = accepted(datetime.now(UTC).date())
    locks = [(lock, audit_python) for lock in (PYTHON_LOCK, FUZZING_LOCK, SOAK_LOCK)]
    for lock, audit in (*locks, (NPM_LOCK, audit_npm)):
        try:
            advisories = audit(lock)
        except NotAudited as error:
            yield f'{lock}: it could not be found out whether a vulnerability is known: {error}'
            continue
        for advisory in advisories:
            names = ', '.join(sorted(advisory.ids))
            if advisory.ids & lived_with:
                print(f'{lock}: {advisory.package}: {names}, which is accepted')
            else:
                yield f'{lock}: {advisory.package}: {names}: {advisory.what}'
        print(f'{lock}: all packages were looked at')


def main() -> int:
    found = list(complaints())
    for complaint in found:
        print(f'FAILED: {complaint}')
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())
