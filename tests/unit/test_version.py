"""The API, its client, the image and the changelog name the same version."""
import re

from talelio_backend import __version__
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.documented_api import document


def test_the_openapi_document_names_the_version() -> None:
    assert document()['info']['version'] == __version__


def test_the_image_is_labelled_with_the_version() -> None:
    default, = re.findall(r'^ARG VERSION="(.*)"$', text_of('Dockerfile'), re.MULTILINE)

    assert default == __version__


def test_the_client_gets_its_version_from_the_openapi_document() -> None:
    assert 'npm pkg set version="$(node --print \'require("./openapi.json").info.version\')"' in text_of(
        '.ci/build-client'
    )
    assert '"version"' not in text_of('.ci/client/package.json')


def test_the_newest_release_in_the_changelog_is_the_version_and_has_a_date() -> None:
    newest = re.search(r'^## (\d.*)$', text_of('CHANGELOG.md'), re.MULTILINE)

    assert newest and re.fullmatch(re.escape(__version__) + r' - \d{4}-\d\d-\d\d', newest[1])


def text_of(path: str) -> str:
    return (PROJECT_FOLDER / path).read_text(encoding='utf-8')
