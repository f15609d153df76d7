"""Print the run-time packages of a Pipfile.lock the way pip reads them, each with its hashes.

Usage: locked_requirements.py FILE [SECTION…], such as `tracing`, whose packages come along.
"""
import json
import sys
from pathlib import Path

lock = json.loads(Path(sys.argv[1]).read_text(encoding='utf-8'))
packages = {
    name: package
    for section in ('default', *sys.argv[2:])
    for name, package in lock[section].items()
}
for name, package in packages.items():
    extras = f"[{','.join(package['extras'])}]" if 'extras' in package else ''
    markers = f"; {package['markers']}" if 'markers' in package else ''
    hashes = ''.join(f' --hash={hash}' for hash in package['hashes'])
    print(f"{name}{extras}{package['version']}{markers}{hashes}")
