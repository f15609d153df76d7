from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.engines import copied_database


@pytest.fixture(name='shared_engine', scope='module')
def fixture_shared_engine(postgres_url: str) -> Iterator[Engine]:
    with copied_database(postgres_url) as engine:
        yield engine
