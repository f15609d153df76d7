"""S3 servers in processes of their own: moto's is close to AWS, and rclone's checks signatures."""
import os
import re
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import boto3
import requests
import trustme
from botocore.config import Config

from talelio_backend.app_asset.data.stores.s3_store import Limits
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACCESS_KEY_ID = 'AKIAPLANTEDFORTESTS0'
SECRET_ACCESS_KEY = 'planted+secret/for+tests'

# For the process under test: nothing of the developer's own settings may leak in, nor of the machine's.
AWS_ENVIRON = {
    'AWS_ACCESS_KEY_ID': ACCESS_KEY_ID,
    'AWS_SECRET_ACCESS_KEY': SECRET_ACCESS_KEY,
    'AWS_EC2_METADATA_DISABLED': 'true',
    'AWS_CONFIG_FILE': os.devnull,
    'AWS_SHARED_CREDENTIALS_FILE': os.devnull,
    'BOTO_CONFIG': os.devnull,
    'NO_PROXY': '*',
}

# For a store whose server answers, however busy the machine is.
PATIENT = Limits(
    connect_timeout=PATIENCE, read_timeout=PATIENCE, attempts=1, save_deadline=PATIENCE, deadline=PATIENCE
)


class _S3Server(ABC):
    """A server on a free loopback port, whose buckets live in a folder or in its memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        # Of the authority that has signed its certificate, if it speaks TLS.
        self._ca_file: str | None = None
        self.url = ''
        self._numbers = count(1)

    @property
    @abstractmethod
    def _command(self) -> list[str]:
        ...

    @property
    def _environ(self) -> Mapping[str, str]:
        # HOME: whatever they may want to keep or look for goes there.
        return {'PATH': os.environ['PATH'], 'HOME': str(self._folder)}

    @property
    def _log_file(self) -> Path:
        return self._folder / 'server.log'

    def __enter__(self) -> Self:
        with self._log_file.open('wb') as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                self._command,
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(self._log())
            # The server is polled, not waited out.
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            # It has nothing to finish, and no children.
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    @cached_property
    def client(self) -> 'S3Client':
        """For looking past the store under test."""
        session = boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name='us-east-1')
        # Left to itself, it would sign URLs in a way that rclone does not know.
        config = Config(signature_version='s3v4', s3={'addressing_style': 'path'})
        return session.client('s3', endpoint_url=self.url, config=config, verify=self._ca_file)

    def make_bucket(self) -> str:
        """Return the name of a new one."""
        name = f'pictures-{next(self._numbers)}'
        self.client.create_bucket(Bucket=name)
        return name

    def _answers(self) -> bool:
        listening = re.search(r'https?://127\.0\.0\.1:[1-9]\d*', self._log())
        if listening is None:
            return False
        self.url = listening.group()
        try:
            # Whatever it says: a signature may be missing.
            requests.get(self.url, timeout=PATIENCE, verify=self._ca_file or True)
        except requests.ConnectionError:
            return False
        return True

    def _log(self) -> str:
        return self._log_file.read_text(encoding='utf-8', errors='replace')


class MotoServer(_S3Server):

    @property
    def _command(self) -> list[str]:
        return [sys.executable, '-m', 'moto.server', '-H', '127.0.0.1', '-p', '0']

    @property
    def _environ(self) -> Mapping[str, str]:
        return {**super()._environ, 'NO_COLOR': '1'}


class RcloneServer(_S3Server):
    """A bucket is a folder, and an object a file in it."""

    @property
    def buckets(self) -> Path:
        return self._folder / 'buckets'

    @property
    def _command(self) -> list[str]:
        self.buckets.mkdir(exist_ok=True)
        key = f'{ACCESS_KEY_ID},{SECRET_ACCESS_KEY}'
        # Beside the interpreter, also where the virtual environment is not activated.
        program = Path(sys.executable).with_name('rclone')
        return [str(program), 'serve', 's3', '--addr', '127.0.0.1:0', '--auth-key', key, str(self.buckets)]

    @property
    def _environ(self) -> Mapping[str, str]:
        # No file: the settings are kept in memory.
        return {**super()._environ, 'RCLONE_CONFIG': ''}


class TlsRcloneServer(RcloneServer):

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        authority = trustme.CA()
        certificate = authority.issue_cert('127.0.0.1')
        self._ca_file = str(folder / 'ca.pem')
        authority.cert_pem.write_to_path(self._ca_file)
        certificate.private_key_pem.write_to_path(str(folder / 'key.pem'))
        with (folder / 'certificate.pem').open('wb') as file:
            file.writelines(blob.bytes() for blob in certificate.cert_chain_pems)

    @property
    def _command(self) -> list[str]:
        return [
            *super()._command, '--cert',
            str(self._folder / 'certificate.pem'), '--key',
            str(self._folder / 'key.pem')
        ]
