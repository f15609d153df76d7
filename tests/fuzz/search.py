"""Searches for a case that breaks a target, guided by the code it reaches.

`python -m tests.fuzz.search json -runs=1000`: the arguments after the target are libFuzzer's. Needs atheris,
which `make fuzz` installs beside the packages of the project.
"""
import sys
from importlib import import_module
from typing import Any

# As the bounded workers have it, and what libFuzzer keeps for itself.
_MEMORY_MIB = 1024
# The searched code in Python. What is written in C is fed, but its paths are not seen.
_WATCHED = {
    'markdown': ['markdown_it', 'mdit_py_plugins', 'talelio_backend.app_project'],
    'json': ['json', 'talelio_backend.shared'],
    'picture': ['PIL', 'talelio_backend.app_asset'],
}
_LONGEST = {'markdown': 2048, 'json': 4096, 'picture': 8192}


def main(target: str, arguments: list[str]) -> None:
    atheris: Any = import_module('atheris')
    with atheris.instrument_imports(include=_WATCHED[target]):
        targets = import_module('tests.fuzz.targets')
    options = [f'-rss_limit_mb={_MEMORY_MIB}', '-timeout=60', f'-max_len={_LONGEST[target]}']
    atheris.Setup([sys.argv[0], *options, *arguments], targets.TARGETS[target])
    atheris.Fuzz()


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
