import os
import secrets
from pathlib import Path


def kept_secret_key(file: Path) -> str:
    """The development key: random, made once for a checkout, so that tokens outlive a restart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f'{file.name}.{os.getpid()}')
    try:
        return file.read_text(encoding='utf-8')
    except FileNotFoundError:
        pass
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, 'w', encoding='utf-8') as stream:
        stream.write(secrets.token_urlsafe(48))
    try:
        # A link, and not a rename, so that of two processes starting at once the first one's key stays.
        os.link(scratch, file)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
    return file.read_text(encoding='utf-8')
