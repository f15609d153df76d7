import pytest

from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.store_checkup import judge_space, rights, trial_file
from talelio_backend.shared.business.checkup import Status, ok, warn


def test_no_sweep_takes_the_file_of_a_check_for_a_picture() -> None:
    key, _ = trial_file()

    assert parse_key(key) is None


def test_each_check_has_a_file_of_its_own() -> None:
    (key, content), (other_key, other_content) = trial_file(), trial_file()

    assert key != other_key
    assert content != other_content
    assert len(content) == len(other_content) > 0


@pytest.mark.parametrize(('free', 'status'), [(0, Status.WARN), (999_999_999, Status.WARN),
                                              (10**9, Status.OK)])
def test_little_space_is_a_warning(free: int, status: Status) -> None:
    assert judge_space(free).status is status


def test_the_space_is_told_in_gigabytes_and_what_to_do_about_it() -> None:
    assert judge_space(12_345_678_901) == ok('image storage space', '12.3 GB free')
    assert judge_space(100_000_000) == warn(
        'image storage space', '0.1 GB free', 'Make room on that file system, or give it a larger one'
    )


@pytest.mark.parametrize(('operations', 'phrase'), [
    (['PutObject'], 's3:PutObject on arn:aws:s3:::b/*'),
    (['ListBucket'], 's3:ListBucket on arn:aws:s3:::b'),
    (
        ['PutObject', 'ListBucket', 'DeleteObject'],
        's3:PutObject, s3:DeleteObject on arn:aws:s3:::b/* and s3:ListBucket on arn:aws:s3:::b',
    ),
])  # yapf: disable
def test_missing_rights_are_told_as_a_policy_has_them(operations: list[str], phrase: str) -> None:
    assert rights(operations, 'b') == phrase
