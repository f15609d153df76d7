"""A streaming standby, made by PostgreSQL's own programs."""
from pathlib import Path

from sqlalchemy import make_url

from talelio_backend.development.embedded_postgres.programs import choose_runner, find_installation


def copy_to(folder: Path, url: str) -> None:
    """Make a standby's data of a running primary's."""
    installation = find_installation()
    runner = choose_runner(folder, installation)
    parts = make_url(url)
    (folder / 'password').write_text(str(parts.password), encoding='ascii')
    (folder / 'password').chmod(0o600)
    source = parts.set(drivername='postgresql').render_as_string(hide_password=False)
    made = runner.run(
        installation / 'bin/pg_basebackup',
        f'--dbname={source}',
        f'--pgdata={folder / "data"}',
        '--write-recovery-conf',
        '--checkpoint=fast',
    )
    assert made.returncode == 0, made.stderr
