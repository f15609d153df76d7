"""Two requests about the same picture, brought to the moments at which one could undo the other."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.data import image_repository
from talelio_backend.shared.business.errors import Unavailable
from tests.support.claims import Pause, Requests
from tests.support.waiting import PATIENCE


def test_a_claim_waits_for_a_taking_back_of_the_same_picture_and_keeps_its_own_file(
    shared_engine: Engine
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('delete'), pool)
        failing = requests.upload(b'same', b'invalid')
        assert requests.pause.arrived.wait(PATIENCE)
        succeeding = requests.upload(b'same')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        with pytest.raises(InvalidImageType):
            failing.result()
        image, = succeeding.result()

    assert [listed.id for listed in requests.listed()] == [image.id]
    assert set(requests.store.files) == set(image.keys)


def test_a_taking_back_waits_for_a_claim_and_then_keeps_its_hands_off(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('exists'), pool)
        succeeding = requests.upload(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        failing = requests.upload(b'same', b'invalid')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        image, = succeeding.result()
        with pytest.raises(InvalidImageType):
            failing.result()

    assert [listed.id for listed in requests.listed()] == [image.id]
    assert set(requests.store.files) == set(image.keys)


def test_a_picture_sent_again_during_its_deletion_is_a_new_one(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('delete'), pool)
        image, = requests.upload(b'same').result()
        deletion = requests.delete(image)
        assert requests.pause.arrived.wait(PATIENCE)
        sending = requests.upload(b'same')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        deletion.result()
        again, = sending.result()

    assert [listed.id for listed in requests.listed()] == [again.id]
    assert set(requests.store.files) == set(again.keys)
    assert set(again.keys).isdisjoint(image.keys)


def test_a_picture_that_was_there_and_is_deleted_meanwhile_is_not_claimed(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause(), pool)
        image, = requests.upload(b'same').result()
        requests.pause.place = 'exists'
        again = requests.upload(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        requests.delete(image).result()
        requests.pause.go_on.set()

        with pytest.raises(Unavailable, match='was being deleted at the same time'):
            again.result()

    assert not requests.listed()
    assert not requests.store.files


def test_the_same_picture_twice_at_once_is_one_image_with_the_files_of_the_first(
    shared_engine: Engine
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('exists'), pool)
        first = requests.upload(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        second = requests.upload(b'same')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        image, = first.result()
        assert [each.id for each in second.result()] == [image.id]

    assert [listed.id for listed in requests.listed()] == [image.id]
    assert set(requests.store.files) == set(image.keys)


def test_whoever_waits_too_long_for_the_lock_is_told_what_for(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('exists'), pool)
        first = requests.upload(b'one')
        assert requests.pause.arrived.wait(PATIENCE)
        monkeypatch.setattr(image_repository, 'LOCK_TIMEOUT', 0.3)
        try:
            with pytest.raises(
                Unavailable, match='^Your other pictures are being changed, please try again$'
            ):
                requests.upload(b'two').result()
        finally:
            requests.pause.go_on.set()
        first.result()

    assert len(requests.listed()) == 1


def test_a_request_that_fails_takes_nothing_of_another_for_the_same_picture(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('save'), pool)
        succeeding = requests.upload(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        with pytest.raises(InvalidImageType):
            requests.upload(b'same', b'invalid').result()
        requests.pause.go_on.set()

        image, = succeeding.result()

    assert set(requests.store.files) == set(image.keys)
