"""A release as it comes into production: migrated, examined and served by the image's own commands."""
import json
from http import HTTPStatus
from pathlib import Path

from tests.support.answers import ok
from tests.support.members import Member, new_person, publish
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.uploads import list_images, new_picture, send
from tests.support.waiting import wait_until

HOST = 'https://api.test'


def production(folder: Path, database_url: str, mail_server: SmtpSink, email: str) -> ServedApi:
    return ServedApi(
        folder,
        database_url,
        {
            'ENV': 'production',
            'API_BASE_URL': HOST,
            'BCRYPT_COST': '10',
            'DRAIN_SECONDS': '600',
            'SMTP_URL': mail_server.url,
            'WHITELISTED_EMAILS': email,
            'CORS_ORIGINS': 'https://www.test',
            'TRUSTED_PROXIES': '127.0.0.1',
            # Where the health check leaves its note: no container's is another's.
            'TMPDIR': str(folder),
        },
        # As it starts in production.
        afresh=True,
    )


def test_from_an_empty_database_to_the_first_picture_and_down_again(
    tmp_path: Path, empty_database_url: str, smtp_sink: SmtpSink
) -> None:
    person = new_person()
    api = production(tmp_path, empty_database_url, smtp_sink, person.email)

    early = api.run('flask', 'doctor', '--json')
    migrated = api.run('alembic', 'upgrade', 'head')
    examined = api.run('flask', 'doctor', '--json')

    assert early.returncode == 1
    assert [check['name'] for check in json.loads(early.stdout)['checks']
            if check['status'] == 'fail'] == ['database']
    assert migrated.returncode == 0, migrated.stderr
    assert examined.returncode == 0, examined.stdout
    assert json.loads(examined.stdout)['ok'] is True

    api.start()
    try:
        assert api.run('talelio_backend.healthcheck').returncode == 0
        ok(api.post('/v1/accounts/register', person.registration), HTTPStatus.CREATED)
        mail, = smtp_sink.wait_for(to=person.email)
        account = ok(api.get(link_in(mail).removeprefix(HOST)))
        token = ok(api.post('/v1/accounts/login', person.login))['access_token']
        member = Member(person=person, account=account, token=token)
        project = publish(api, member, 'A chair', 'of *ash*')
        image, = ok(send(api, member, new_picture((1200, 900), 'JPEG')))['images']

        assert ok(api.get(member.projects_path)) == [project]
        assert [each['id'] for each in list_images(api, member)] == [image['id']]
        assert api.get(image['url'].removeprefix(HOST)).headers['Content-Type'] == 'image/jpeg'

        api.terminate()
        wait_until(
            lambda: api.get('/health/ready').status_code == HTTPStatus.SERVICE_UNAVAILABLE, 'readiness fails'
        )
        ok(api.get(member.projects_path))
        # A second signal ends the drain.
        last = api.get('/v1/projects/999999').headers['X-Request-ID']
        api.terminate()
        assert api.wait() == 0
        # No line is lost that waited to be written with others.
        assert last in api.log()
    finally:
        if api.runs:
            api.kill()


def test_a_database_that_was_not_migrated_is_not_migrated_by_the_server(
    tmp_path: Path, empty_database_url: str, smtp_sink: SmtpSink
) -> None:
    api = production(tmp_path, empty_database_url, smtp_sink, new_person().email)

    api.start(wait_for='/health/live')
    try:
        assert api.get('/health/ready').status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert api.run('talelio_backend.healthcheck').returncode == 1
    finally:
        api.kill()
