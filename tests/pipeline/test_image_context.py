"""What can get into the image: what is named, and nothing of what git knows of it."""
from talelio_backend.settings import PROJECT_FOLDER

LINES = (PROJECT_FOLDER / '.dockerignore').read_text(encoding='utf-8').splitlines()
PATTERNS = [line for line in LINES if line and not line.startswith('#')]


def test_nothing_enters_the_build_but_what_is_named() -> None:
    assert PATTERNS[0] == '*'
    assert [pattern for pattern in PATTERNS if pattern.startswith('!')] == [
        '!.flaskenv', '!Pipfile.lock', '!alembic.ini', '!migrations', '!talelio_backend',
        '!.ci/locked_requirements.py'
    ]
