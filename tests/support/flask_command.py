"""The operator's commands, each in a process that is forked where all they import is there already."""
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.cli import main

# pylint: disable=unused-import
import talelio_backend.commands
# pylint: enable=unused-import
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.forked_server import FORKS
from tests.support.waiting import PATIENCE


def flask(environ: Mapping[str, str], *arguments: str, stdin: str = '') -> subprocess.CompletedProcess[str]:
    """What `python -m flask` does, in this environment alone, for an eighth of the time."""
    with TemporaryDirectory() as folder:
        given, out, err = files = [Path(folder) / name for name in ('stdin', 'stdout', 'stderr')]
        given.write_text(stdin, encoding='utf-8')
        for file in (out, err):
            file.touch()
        process = FORKS.Process(target=_become_flask, args=(dict(environ), arguments, files))
        process.start()
        process.join(PATIENCE)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        process.close()
        assert code is not None, f'flask {" ".join(arguments)} does not end'
        return subprocess.CompletedProcess(['flask', *arguments],
                                           code,
                                           stdout=out.read_text(encoding='utf-8'),
                                           stderr=err.read_text(encoding='utf-8'))


def _become_flask(environ: dict[str, str], arguments: tuple[str, ...], files: list[Path]) -> None:
    os.chdir(PROJECT_FOLDER)
    os.environ.clear()
    os.environ.update(environ)
    for number, (file, mode) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY))):
        os.dup2(os.open(file, mode), number)
    # multiprocessing has put another in its place.
    sys.stdin = os.fdopen(0, encoding='utf-8', closefd=False)
    sys.argv = ['flask', *arguments]
    main()
