"""What the server reads for questions about pictures, whatever else there is."""
import pytest
from sqlalchemy import Engine

from talelio_backend.bootstrap import UnitOfWork
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar
from tests.support.plans import check


@pytest.fixture(name='collector', scope='module')
def fixture_collector(shared_engine: Engine) -> int:
    """The id of a user with thousands of pictures."""
    scalar(shared_engine, 'DELETE FROM accounts')
    collector = committed_account(RealBacking(shared_engine), 'collector').user.id
    scalar(
        shared_engine, """
        INSERT INTO images (
            user_id, created_at, digest, kind, width, height, size, variant_widths, placeholder
        )
        SELECT :collector, now(), md5('picture ' || n) || md5('upload ' || n), 'image/png', 1, 1, 1, '{}', ''
        FROM generate_series(1, 5000) n
        """, collector=collector
    )  # yapf: disable
    scalar(shared_engine, 'ANALYZE images')
    return collector


def test_a_picture_is_found_by_what_it_is_without_a_look_at_the_others(
    shared_engine: Engine, collector: int
) -> None:
    fingerprint = str(scalar(shared_engine, "SELECT md5('picture 77')"))

    def ask() -> None:
        with UnitOfWork(shared_engine) as uow:
            assert uow.images.get_by_fingerprint(collector, fingerprint) is not None

    nodes = check(shared_engine, ask, most=2)

    assert {node.get('Index Name') for node in nodes} == {'ix_images_fingerprint'}
