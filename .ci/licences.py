"""List the licences of what is installed at run time, and fail at one that is not known to be fine.

Usage: licences.py

A package says it in its metadata: by an expression (https://peps.python.org/pep-0639/), or in older ones by
classifiers, or a line of text.
"""
import json
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path('Pipfile.lock')

# SPDX identifiers (https://spdx.org/licenses/), and two that say no more than the family.
ALLOWED = frozenset({
    '0BSD', 'Apache-2.0', 'BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-CMU', 'PSF-2.0',
    'Unlicense',
    # Whoever changes the package itself has to publish that change; the service only uses it.
    'LGPL', 'LGPL-3.0-only', 'MPL-2.0',
})  # yapf: disable

# What is written in place of an identifier.
IDENTIFIERS = {
    'License :: OSI Approved :: Apache Software License': 'Apache-2.0',
    'License :: OSI Approved :: BSD License': 'BSD',
    'License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)': 'LGPL-3.0-only',
    'License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)': 'LGPL',
    'License :: OSI Approved :: ISC License (ISCL)': 'ISC',
    'License :: OSI Approved :: MIT License': 'MIT',
    'License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)': 'MPL-2.0',
    'License :: OSI Approved :: The Unlicense (Unlicense)': 'Unlicense',
}


def licences_of(package: str) -> list[str]:
    """All that the package comes under, of which each has to be fine, also where there is a choice."""
    about = metadata(package)
    for expression in about.get_all('License-Expression') or []:
        return [word for word in re.findall(r'[\w.+-]+', expression) if word not in ('AND', 'OR')]
    classifiers = [each for each in about.get_all('Classifier') or [] if each.startswith('License ::')]
    if classifiers:
        return [IDENTIFIERS.get(each, each) for each in classifiers]
    # Some put the whole text there.
    return [text.partition('\n')[0] for text in about.get_all('License') or []]


def main() -> int:
    failed = False
    for package, locked in sorted(json.loads(LOCK.read_text(encoding='utf-8'))['default'].items()):
        try:
            licences = licences_of(package)
        except PackageNotFoundError:
            licences = ['not installed here']
        print(f'{package:24}{locked["version"].removeprefix("=="):16}{", ".join(licences) or "none given"}')
        if not licences or not ALLOWED.issuperset(licences):
            print(
                f'FAILED: the licence of {package} is not one of {", ".join(sorted(ALLOWED))}',
                file=sys.stderr
            )
            failed = True
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
