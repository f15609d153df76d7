import pytest

from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore


@pytest.mark.parametrize(('bucket', 'expected'), [
    (S3Bucket(name='pictures'), 'https://s3.amazonaws.com/pictures'),
    (S3Bucket(name='pictures', region='us-east-1'), 'https://s3.amazonaws.com/pictures'),
    (S3Bucket(name='pictures', region='eu-west-1'), 'https://s3-eu-west-1.amazonaws.com/pictures'),
    (
        S3Bucket(name='pictures', region='eu-west-1', endpoint_url='https://s3.example.com'),
        'https://s3.example.com/pictures',
    ),
    (
        S3Bucket(name='pictures', endpoint_url='https://example.com/s3'),
        'https://example.com/s3/pictures',
    ),
    (
        S3Bucket(
            name='pictures',
            region='eu-west-1',
            endpoint_url='https://s3.example.com',
            base_url='https://cdn.example.com',
        ),
        'https://cdn.example.com',
    ),
])
def test_the_base_url_of_a_bucket(bucket: S3Bucket, expected: str) -> None:
    key = '1/images/a.jpg'

    assert bucket.url(key) == f'{expected}/{key}'
    assert S3ImageStore(bucket).url(key) == f'{expected}/{key}'
