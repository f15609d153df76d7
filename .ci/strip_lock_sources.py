"""Take the package index's address out of a Pipfile.lock: each machine's own pip settings choose it."""
import json
import sys
from pathlib import Path

lock_file = Path(sys.argv[1])
lock = json.loads(lock_file.read_text(encoding='utf-8'))
lock['_meta']['sources'] = []
for section in lock.keys() - {'_meta'}:
    for package in lock[section].values():
        package.pop('index', None)
lock_file.write_text(json.dumps(lock, indent=4, sort_keys=True) + '\n', encoding='utf-8')
