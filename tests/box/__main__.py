"""Run docker-compose.yml in Docker, and the main flow against it: `make box-trial`.

It needs ports 80 and 443, and a checkout without an `.env`.
"""
import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from talelio_backend.settings import PROJECT_FOLDER
from tests.box.flow import OWNER, PROJECTS, use
from tests.support.smtp_sink import SmtpSink
from tests.support.traefik import HOST
from tests.support.traefik_client import Proxied
from tests.support.waiting import wait_until

ENV_FILE = PROJECT_FOLDER / '.env'
# What the owner's guide has.
UP = ('up', '--detach', '--wait')
# The host, for a container.
MAIL = 'mail.test'


def override(folder: Path) -> dict[str, object]:
    """What only the trial has: a certificate of its own, and the way to its mail server."""
    return {
        'services': {
            'traefik': {
                'volumes': [
                    f'{folder / name}:/etc/traefik/dynamic/{name}:ro'
                    for name in ('certificate.toml', 'chain.pem', 'key.pem')
                ]
            },
            'api': {
                'extra_hosts': [f'{MAIL}:host-gateway']
            },
        }
    }


def env_file(mail_port: int, backups: Path) -> Mapping[str, str]:
    return {
        'API_HOST': HOST,
        'POSTGRES_PASSWORD': secrets.token_hex(24),
        'SECRET_KEY': secrets.token_urlsafe(48),
        'WHITELISTED_EMAILS': OWNER.email,
        'CORS_ORIGINS': 'https://www.example.com',
        'SMTP_URL': f'smtp://{MAIL}:{mail_port}',
        'EMAIL_SENDER': 'noreply@example.com',
        'ACME_STAGING': 'yes',
        'BACKUP_FOLDER': str(backups),
    }


def write_files(folder: Path, authority: trustme.CA, mail_port: int) -> None:
    certificate = authority.issue_cert(HOST)
    (folder / 'chain.pem').write_bytes(b''.join(part.bytes() for part in certificate.cert_chain_pems))
    (folder / 'key.pem').write_bytes(certificate.private_key_pem.bytes())
    there = '/etc/traefik/dynamic'
    (folder / 'certificate.toml').write_text(
        f'[[tls.certificates]]\ncertFile = "{there}/chain.pem"\nkeyFile = "{there}/key.pem"\n',
        encoding='ascii'
    )
    # YAML holds JSON.
    (folder / 'override.yml').write_text(json.dumps(override(folder)), encoding='utf-8')
    lines = [f'{name}={value}' for name, value in env_file(mail_port, folder / 'backups').items()]
    ENV_FILE.write_text('\n'.join([*lines, '']), encoding='utf-8')


def trial(folder: Path) -> None:

    def compose(*words: str) -> None:
        files = ('--file', 'docker-compose.yml', '--file', str(folder / 'override.yml'))
        print('docker compose', *words, flush=True)
        subprocess.run(['docker', 'compose', *files, *words], cwd=PROJECT_FOLDER, check=True)

    authority = trustme.CA()
    with SmtpSink(hostname='0.0.0.0') as mails:
        write_files(folder, authority, mails.port)
        try:
            compose('build')
            compose(*UP)
            with Proxied(443, authority) as client:
                listed = use(client, mails)
            compose('run', '--rm', '-T', '--no-deps', 'backup', 'now')
            assert list((folder / 'backups').glob('20*Z')), 'no backup'
            # Everything again, with what is in the volumes.
            compose('down')
            compose(*UP)
            with Proxied(443, authority) as client:
                wait_until(lambda: client.get(PROJECTS).content == listed.content, 'all is there again')
        except BaseException:
            compose('ps', '--all')
            compose('logs', '--no-color', '--tail=200')
            raise
        finally:
            compose('down', '--volumes')
            ENV_FILE.unlink()
    print('The main flow works.')


def main() -> None:
    if ENV_FILE.exists():
        sys.exit(f'{ENV_FILE} exists: the trial writes one of its own')
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trial(Path(folder))


if __name__ == '__main__':
    main()
