import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def kept_secret_key(file: Path) -> str:
    """The development key: random, made once for a checkout, so that tokens outlive a restart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with NamedTemporaryFile('w', dir=file.parent, encoding='utf-8') as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            # Unlike a rename, a link keeps the first key when two processes start at once.
            with suppress(FileExistsError):
                os.link(draft.name, file)
    return file.read_text(encoding='utf-8')
