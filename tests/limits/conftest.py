"""The fixtures of the e2e suite, for measurements of the served API."""
# pylint: disable=unused-import
from tests.e2e.conftest import (
    _api,
    _api_database_url,
    _author,
    _database,
    _mail_server,
    _member,
    _person,
    _serve,
)
