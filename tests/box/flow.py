"""The main flow of a service that is reached through its proxy, as its owner does it."""
from http import HTTPStatus
from urllib.parse import urlsplit

from tests.support.answers import error_of, ok
from tests.support.members import Person
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.traefik_client import Answer, Proxied
from tests.support.uploads import FORM, IMAGES, form_of, new_picture

OWNER = Person(email='owner@example.com', username='owner')
PROJECTS = f'/v1/users/{OWNER.username}/projects'


def use(client: Proxied, mails: SmtpSink) -> Answer:
    """Register, verify, log in, upload, publish; return the public list."""
    ok(client.get('/health/ready'))
    ok(client.post('/v1/accounts/register', OWNER.registration), HTTPStatus.CREATED)
    mail, = mails.wait_for(to=OWNER.email)
    assert ok(client.get(urlsplit(link_in(mail)).path))['verified'] is True
    token = ok(client.post('/v1/accounts/login', OWNER.login))['access_token']
    bearer = {'Authorization': f'Bearer {token}'}

    error_of(client.ask('POST', IMAGES, form_of(new_picture()), FORM), HTTPStatus.FORBIDDEN)
    url, = ok(client.ask('POST', IMAGES, form_of(new_picture()), FORM | bearer))['image_objects_urls']
    picture = client.get(urlsplit(url).path)
    assert (picture.status_code, picture.headers['Content-Type']) == (HTTPStatus.OK, 'image/png')

    project = {'title': 'A chair', 'body': f'## Wood\n\n![The chair]({url})'}
    published = ok(client.post('/v1/projects', project, bearer), HTTPStatus.CREATED)
    listed = client.get(PROJECTS)
    assert ok(listed) == [published]
    return listed
