"""The profile `watch` of the box: the shipped files in the real programs, up to the mail that arrives."""
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml  # type: ignore[import-untyped]

from tests.support.box import compose, unescaped, write_program
from tests.support.missing import skip_outside_ci
from tests.support.observability import FOLDER
from tests.support.page_server import page_server
from tests.support.smtp_sink import SmtpSink
from tests.support.sockets import closed_port

SERVICES = compose()['services']
# By the names that the images have for them, and Debian.
PROGRAMS = {
    'prometheus': 'prometheus',
    'alertmanager': 'prometheus-alertmanager',
    'node-exporter': 'prometheus-node-exporter',
    'blackbox-exporter': 'prometheus-blackbox-exporter',
}
# Characters that mean something to sed, YAML or a shell.
LOGIN = ("it's|a&b\\1@example.com", 'p|a&s\\s "w\'o$rd')
OWNER = 'you@box.test'


def certified(authority: trustme.CA, *, days: int) -> ssl.SSLContext:
    """A server's, whose certificate ends so soon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    end = datetime.now(UTC) + timedelta(days=days)
    authority.issue_cert('127.0.0.1', not_after=end).configure_cert(context)
    return context


class Watch:
    """The profile's services as processes, which listen on loopback and do not wait before they tell."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        for program in PROGRAMS.values():
            if shutil.which(program) is None:
                skip_outside_ci(f'no {program}', 'run .ci/install-programs')
        self._folder = folder
        self.backups = folder / 'textfile/backup'
        self.backups.mkdir(parents=True)
        self._environ = {'PATH': f'{folder / "programs"}:{os.environ["PATH"]}', **environ}
        with ExitStack() as stack:
            self._ports = {
                name: stack.enter_context(closed_port())
                for name in (*PROGRAMS, 'api', 'postgres')
            }
        for name, program in PROGRAMS.items():
            address = f'--web.listen-address=127.0.0.1:{self._ports[name]}'
            write_program(
                folder / 'programs' / name.replace('-', '_'),
                f'#!/bin/sh\nexec {shutil.which(program)} "$@" {address}\n'
            )
        self._copy_files()

    def _copy_files(self) -> None:
        shutil.copytree(FOLDER, self._folder / 'observability')
        addresses = {
            'alertmanager:9093': 'alertmanager',
            'api:9100': 'api',
            'node-exporter:9100': 'node-exporter',
            'postgres-exporter:9187': 'postgres',
            'blackbox-exporter:9115': 'blackbox-exporter',
        }
        self._change(
            'prometheus.yml', {
                r'\b15s\b': '1s',
                **{
                    re.escape(there): f'127.0.0.1:{self._ports[name]}'
                    for there, name in addresses.items()
                }
            }
        )
        self._change('alerts.yml', {r'for: \d+[mh]': 'for: 0s'})
        self._change(
            'alertmanager.yml', {
                r'group_wait: \w+': 'group_wait: 0s',
                r'group_interval: \w+': 'group_interval: 1s',
                '/tmp/': f'{self._folder}/'
            }
        )

    def _change(self, name: str, changes: Mapping[str, str]) -> None:
        file = self._folder / 'observability' / name
        text = file.read_text(encoding='utf-8')
        for there, here in changes.items():
            text, number = re.subn(there, lambda _, here=here: here, text)  # type: ignore[misc]
            assert number, f'{name} has no {there}'
        file.write_text(text, encoding='utf-8')

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in PROGRAMS:
                stack.enter_context(self._started(name))
            yield

    @contextmanager
    def _started(self, name: str) -> Iterator[None]:
        service = SERVICES[name]
        entrypoint = service.get('entrypoint', [name.replace('-', '_')])
        command = [self._placed(unescaped(word)) for word in (*entrypoint, *service.get('command', ()))]
        if name == 'blackbox-exporter':
            # The image has its own, with the same module.
            (self._folder /
             'blackbox.yml').write_text('modules: {http_2xx: {prober: http}}', encoding='ascii')
            command.append(f'--config.file={self._folder / "blackbox.yml"}')
        log = self._folder / f'{name}.log'
        with log.open('wb') as output, subprocess.Popen(
            command, cwd=self._folder, env=self._environ, stdout=output, stderr=output
        ) as process:
            try:
                yield
                assert process.poll() is None, log.read_text(encoding='utf-8')
            finally:
                process.kill()
                print(log.read_text(encoding='utf-8')[-2000:])

    def _placed(self, word: str) -> str:
        """A word of a command, with this machine's folders."""
        for there, here in {
            '/tmp/': '/',
            '/etc/observability': '/observability',
            '=/prometheus': '=/storage-of-prometheus',
            '=/alertmanager': '=/storage-of-alertmanager',
            '=/textfile': '=/textfile',
        }.items():
            equals = '=' if there.startswith('=') else ''
            word = word.replace(there, f'{equals}{self._folder}{here.removeprefix("=")}')
        return word.replace('=/host', '=/')

    def set_age_of_backup(self, hours: float) -> None:
        mark = self.backups / 'backup.prom'
        mark.touch()
        then = datetime.now().timestamp() - hours * 3600
        os.utime(mark, (then, then))


def test_mails_say_what_is_wrong_and_when_it_is_right_again(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / 'ca.pem'))
    site = tmp_path / 'site'
    (site / 'health').mkdir(parents=True)
    (site / 'health/ready').touch()
    with SmtpSink(starttls=certified(authority, days=90), login=LOGIN) as sink, \
            page_server(site, certified(authority, days=5)) as port:
        watch = Watch(
            tmp_path, {
                'API_HOST': f'127.0.0.1:{port}',
                'ALERT_EMAIL': OWNER,
                'ALERT_SMTP_HOST': f'127.0.0.1:{sink.port}',
                'ALERT_SMTP_USER': LOGIN[0],
                'ALERT_SMTP_PASSWORD': LOGIN[1],
                'EMAIL_SENDER': "Ash & Oak's site <noreply@box.test>",
                'SSL_CERT_FILE': str(tmp_path / 'ca.pem'),
            }
        )
        watch.set_age_of_backup(hours=30)
        with watch.running():
            # Nothing listens there.
            sink.wait_for_subject('firing: ApiDown (page)', to=OWNER)
            sink.wait_for_subject('firing: ExporterDown (ticket)', to=OWNER)
            sink.wait_for_subject('firing: CertificateExpires (ticket)', to=OWNER)
            mail = sink.wait_for_subject('firing: BackupOld (page)', to=OWNER)
            watch.set_age_of_backup(hours=1)
            sink.wait_for_subject('resolved: BackupOld (page)', to=OWNER)

    assert mail['From'] == "Ash & Oak's site <noreply@box.test>"
    body = mail.get_body(('plain', ))
    assert body is not None
    lines = body.get_content().splitlines()
    assert lines[0] == f'No backup has succeeded for more than a day ({watch.backups}/backup.prom)'
    assert lines[1] == 'Read the log of the services backup and pitr, and make a backup by hand.'
    assert lines[2] == '.github/observability/RUNBOOK.md#backupold'


@pytest.mark.parametrize('name', ['prometheus', 'alertmanager'])
def test_a_missing_setting_is_named(tmp_path: Path, name: str) -> None:
    service = SERVICES[name]

    run = subprocess.run([*service['entrypoint'], unescaped(service['command'][0])],
                         env={'PATH': os.environ['PATH']},
                         cwd=tmp_path,
                         capture_output=True,
                         text=True,
                         check=False)

    assert run.returncode
    assert 'is missing in .env' in run.stderr


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    mounted = dict(volume.split(':')[:2] for volume in SERVICES['grafana']['volumes'])
    read: dict[str, Any] = {
        name: yaml.safe_load((FOLDER / name).read_text(encoding='utf-8'))
        for name in ('grafana-datasource.yml', 'grafana-dashboards.yml')
    }
    dashboard = mounted['./.github/observability/dashboard.json']

    provider, = read['grafana-dashboards.yml']['providers']
    assert provider['options']['path'] == str(Path(dashboard).parent)
    assert SERVICES['grafana']['environment']['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] == dashboard
    source, = read['grafana-datasource.yml']['datasources']
    assert (source['type'], source['url']) == ('prometheus', 'http://prometheus:9090')
    for name, folder in (('datasource', 'datasources'), ('dashboards', 'dashboards')):
        place = Path(mounted[f'./.github/observability/grafana-{name}.yml'])
        assert place.parent == Path('/etc/grafana/provisioning') / folder


def test_whatever_is_asked_is_in_a_network_of_prometheus() -> None:
    """And the API is told to answer."""
    networks = set(SERVICES['prometheus']['networks'])
    jobs = yaml.safe_load((FOLDER / 'prometheus.yml').read_text(encoding='utf-8'))
    asked = set(re.findall(r"'?([\w-]+):(?:9\d{3})'?", yaml.safe_dump(jobs)))

    assert asked == {'api', 'alertmanager', 'blackbox-exporter', 'node-exporter', 'postgres-exporter'}
    for name in asked:
        assert networks & set(SERVICES[name]['networks']), name
    assert SERVICES['api']['environment']['METRICS_ADDRESS'] == '0.0.0.0:9100'
    # Of these, each must reach the world: a mail server, the site itself.
    assert {'alertmanager',
            'blackbox-exporter'} <= {name
                                     for name in PROGRAMS if 'watch' in SERVICES[name]['networks']}
