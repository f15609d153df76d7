import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def load_or_create_secret_key(file: Path) -> str:
    """Return the development key, created once per checkout, so that tokens survive a restart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with NamedTemporaryFile('w', dir=file.parent, encoding='utf-8') as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            # Unlike a rename, a link keeps the first key if two processes start concurrently.
            with suppress(FileExistsError):
                os.link(draft.name, file)
    return file.read_text(encoding='utf-8')
