"""A change of the avatar and another request, brought to the moments at which one could undo the other."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.shared.business.errors import Unavailable
from tests.support.claims import Pause, Requests
from tests.support.waiting import PATIENCE


def test_a_taking_back_waits_for_an_avatar_and_then_keeps_its_hands_off(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('exists'), pool)
        setting = requests.set_avatar(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        failing = requests.upload(b'same', b'invalid')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        setting.result()
        with pytest.raises(InvalidImageType):
            failing.result()

    assert requests.avatar_url() in [requests.store.url(key) for key in requests.store.files]


def test_an_avatar_waits_for_a_taking_back_of_the_same_picture_and_keeps_its_own_file(
    shared_engine: Engine
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause('delete'), pool)
        failing = requests.upload(b'same', b'invalid')
        assert requests.pause.arrived.wait(PATIENCE)
        setting = requests.set_avatar(b'same')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        with pytest.raises(InvalidImageType):
            failing.result()
        setting.result()

    assert [requests.store.url(key) for key in requests.store.files] == [requests.avatar_url()]


def test_an_avatar_that_is_set_during_a_reset_waits_and_keeps_its_file(shared_engine: Engine) -> None:
    """Otherwise the reset would take it away without knowing its file, which would stay for ever."""
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause(), pool)
        requests.set_avatar(b'old').result()
        requests.pause.place = 'commit'
        resetting = requests.reset_avatar()
        assert requests.pause.arrived.wait(PATIENCE)
        setting = requests.set_avatar(b'new')
        requests.wait_for_the_lock()
        requests.pause.go_on.set()

        resetting.result()
        setting.result()

    assert [file.content for file in requests.store.files.values()] == [b'NEW']
    assert [requests.store.url(key) for key in requests.store.files] == [requests.avatar_url()]


def test_the_same_avatar_that_is_taken_away_meanwhile_is_not_set_without_its_file(
    shared_engine: Engine
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, Pause(), pool)
        requests.set_avatar(b'same').result()
        requests.pause.place = 'exists'
        setting = requests.set_avatar(b'same')
        assert requests.pause.arrived.wait(PATIENCE)
        requests.reset_avatar().result()
        requests.pause.go_on.set()

        with pytest.raises(Unavailable, match='was being deleted at the same time'):
            setting.result()

    assert requests.avatar_url() == 'default.jpg'
    assert not requests.store.files
