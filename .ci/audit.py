"""Fail if a locked package has a known vulnerability, or if the audit is incomplete.

Usage: audit.py [LOCK…], all locks if none is named

pip-audit asks OSV about Pipfile.lock and the requirements of fuzzing and soak tests. npm asks its registry
about the lock of the client generator. Neither reports an incomplete audit: pip-audit succeeds even if it
skipped every package, and a mirror may answer "no vulnerabilities" to everything. Therefore each package must
be in the response, and so must a decoy that is known to be vulnerable.

AUDIT_OSV_URL replaces the default URL of OSV.
"""
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
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
# Both have vulnerabilities that have been known for years.
PYTHON_DECOY = ('django', '2.0')
NPM_DECOY = ('lodash', '4.17.4')
# Seconds.
TIMEOUT = 300


class NotAudited(Exception):
    """The audit is incomplete, so it proves nothing."""


@dataclass(frozen=True)
class Advisory:
    package: str
    # Including aliases.
    ids: frozenset[str]
    what: str


# Python


def normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r'[-_.]+', '-', name).lower()


def locked_for_python(lock: Path) -> set[tuple[str, str]]:
    """Ignore environment markers: other machines install packages that this one skips."""
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
        raise NotAudited('it contains no packages')
    answers = ask_osv(packages | {PYTHON_DECOY})
    unanswered = [f'{name} {version}' for name, version in sorted(packages - answers.keys())]
    if unanswered:
        raise NotAudited(f'pip-audit skipped {", ".join(unanswered)}')
    if not answers.get(PYTHON_DECOY):
        raise NotAudited(
            f'OSV reports no vulnerability of {" ".join(PYTHON_DECOY)}, so its data are incomplete'
        )
    return [
        Advisory(
            package=f'{name} {version}',
            ids=frozenset([found['id'], *found.get('aliases', [])]),
            what=f'{found["description"]} (fixed in {", ".join(found["fix_versions"]) or "none"})'
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
        report, errors = report_of(command)
    # It skips an advisory that it cannot read.
    for line in errors.splitlines():
        if 'pip_audit._service' in line and 'WARNING' in line:
            raise NotAudited(line)
    if 'dependencies' not in report:
        raise NotAudited(last_line(errors))
    return {(normal(each['name']), each['version']): each['vulns']
            for each in report['dependencies'] if 'skip_reason' not in each}


# npm


def audit_npm(lock: Path) -> list[Advisory]:
    content = json.loads(lock.read_text(encoding='utf-8'))
    project = content['packages']['']
    name, version = NPM_DECOY
    if f'node_modules/{name}' in content['packages']:
        raise NotAudited(f'{name} is a real dependency, so choose another decoy')
    content['packages'][''] = project | {'dependencies': project.get('dependencies', {}) | {name: version}}
    content['packages'][f'node_modules/{name}'] = {'version': version}
    with TemporaryDirectory() as folder:
        (Path(folder) / 'package.json').write_text(json.dumps(content['packages']['']), encoding='utf-8')
        (Path(folder) / 'package-lock.json').write_text(json.dumps(content), encoding='utf-8')
        report, errors = report_of(['npm', 'audit', '--package-lock-only', '--json', f'--prefix={folder}'])
    if 'auditReportVersion' not in report:
        raise NotAudited(report.get('message') or last_line(errors))
    # Without the project itself.
    audited, packages = report['metadata']['dependencies']['total'], len(content['packages']) - 1
    if audited != packages:
        raise NotAudited(f'npm audited {audited} of {packages} packages')
    if name not in report['vulnerabilities']:
        raise NotAudited(f'npm reports no vulnerability of {name} {version}, so its data are incomplete')
    return [
        Advisory(
            package=found['name'],
            ids=frozenset([each['url'].rpartition('/')[2]]),
            what=f'{each["title"]}, {each["severity"]} (found in {each["range"]})'
        ) for found in report['vulnerabilities'].values() if found['name'] != name
        # Strings in `via` name other packages.
        for each in found['via'] if isinstance(each, dict)
    ]


# Both


def report_of(command: list[str]) -> tuple[dict[str, Any], str]:
    """Return the JSON object on standard output, or {}, and the standard error."""
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
    return next(reversed(text.strip().splitlines()), 'no output')


AUDITS = {
    PYTHON_LOCK: audit_python,
    FUZZING_LOCK: audit_python,
    SOAK_LOCK: audit_python,
    NPM_LOCK: audit_npm,
}


def accepted(today: date) -> set[str]:
    entries = tomllib.loads(ACCEPTED.read_text(encoding='utf-8')).get('accepted', [])
    return {entry['id'] for entry in entries if entry['reason'] and entry['until'] >= today}


def failures(locks: Sequence[Path]) -> Iterator[str]:
    accepted_ids = accepted(datetime.now(UTC).date())
    for lock in locks:
        try:
            advisories = AUDITS[lock](lock)
        except NotAudited as error:
            yield f'{lock}: the audit is incomplete: {error}'
            continue
        for advisory in advisories:
            names = ', '.join(sorted(advisory.ids))
            if advisory.ids & accepted_ids:
                print(f'{lock}: {advisory.package}: {names} (accepted)')
            else:
                yield f'{lock}: {advisory.package}: {names}: {advisory.what}'
        print(f'{lock}: all packages audited')


def main() -> int:
    found = list(failures([Path(name) for name in sys.argv[1:]] or list(AUDITS)))
    for failure in found:
        print(f'FAILED: {failure}')
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())
