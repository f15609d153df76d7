"""Pictures on their way to the served API."""
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from tests.support.answers import ok
from tests.support.flask_command import flask
from tests.support.members import Member
from tests.support.served_api import ServedApi

IMAGES = '/v1/assets/images'
AVATAR = '/v1/users/me/avatar'
# The headers of `form_of`.
FORM = {'Content-Type': 'multipart/form-data; boundary=b'}

_numbers = count(1)


def new_picture(size: tuple[int, int] = (400, 300), kind: str = 'PNG') -> bytes:
    """A picture that no other test has sent."""
    number = next(_numbers)
    image = Image.linear_gradient('L').resize(size).convert('RGB')
    image.paste((number % 256, number // 256, 77), (0, 0, size[0] // 2, size[1] // 2))
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def form_of(*pictures: bytes) -> bytes:
    """A body of multipart/form-data with the boundary `b`."""
    parts = []
    for number, picture in enumerate(pictures):
        disposition = f'Content-Disposition: form-data; name="p{number}"; filename="p{number}.png"'
        parts.append(f'--b\r\n{disposition}\r\n\r\n'.encode() + picture)
    return b'\r\n'.join([*parts, b'--b--', b''])


def send(
    api: ServedApi,
    member: Member,
    *contents: bytes,
    path: str = IMAGES,
    method: str = 'POST'
) -> requests.Response:
    """Send them as the known client does: each in a field that is named after its file."""
    files = [(f'picture-{number}', (f'picture-{number}.jpg', content))
             for number, content in enumerate(contents)]
    return api.request(method, path, files=files, headers=member.bearer)


def upload(api: ServedApi, member: Member, *contents: bytes) -> list[dict[str, Any]]:
    document = ok(send(api, member, *contents))
    images: list[dict[str, Any]] = document['images']
    assert document['image_objects_urls'] == [image['url'] for image in images]
    return images


def list_images(api: ServedApi, member: Member) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = ok(api.get(IMAGES, headers=member.bearer))
    return images


def path_of(url: str) -> str:
    """Of a picture that the API itself serves."""
    assert url.startswith('http://api.test/')
    return url.removeprefix('http://api.test')


def noise() -> bytes:
    """A picture that hardly compresses: some 700 kB."""
    file = BytesIO()
    Image.effect_noise((1000, 700), 100).save(file, 'PNG')
    return file.getvalue()


def stored_files(folder: Path) -> set[str]:
    """The keys of what lies in a folder of pictures."""
    return {str(file.relative_to(folder)) for file in folder.glob('*/images/*')}


def sweep(api: ServedApi) -> None:
    """As the operator does, but also of what is not an hour old."""
    done = flask(api.environ, 'assets', 'sweep', '--older-than', '0', '--delete', '--even-all')
    assert done.returncode == 0, done.stderr
