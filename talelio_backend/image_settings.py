import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from talelio_backend.app_asset.data.image_protocol import ImageLimits
from talelio_backend.app_asset.data.s3_bucket import S3Bucket
from talelio_backend.environment import EnvironmentReader

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """Where pictures go, and how large they may be."""

    # None stands for a folder.
    bucket: S3Bucket | None
    folder: Path
    # Of one picture.
    limits: ImageLimits
    # Files of one request.
    max_files: int

    @classmethod
    def read(cls, reader: EnvironmentReader, *, project_folder: Path) -> Self:
        return cls(
            bucket=_bucket(reader),
            # Wherever a command is run from, it is the same.
            folder=project_folder / Path(reader.text('IMAGE_FOLDER', 'var/images')).expanduser(),
            limits=ImageLimits(
                bytes=reader.integer('IMAGE_MAX_BYTES', default=ImageLimits.bytes, low=1024, high=50 * MIB),
                pixels=reader.integer('IMAGE_MAX_PIXELS', default=ImageLimits.pixels, low=1, high=50_000_000),
                frames=reader.integer('IMAGE_MAX_FRAMES', default=ImageLimits.frames, low=1, high=10_000),
                summed_pixels=reader.integer(
                    'IMAGE_MAX_SUMMED_PIXELS',
                    default=ImageLimits.summed_pixels,
                    low=1,
                    high=1_000_000_000,
                ),
            ),
            max_files=reader.integer('IMAGE_MAX_FILES', default=10, low=1, high=100),
        )


def _bucket(reader: EnvironmentReader) -> S3Bucket | None:
    name = reader.text('S3_BUCKET', '')
    base_url = reader.url('S3_BASE_URL')
    endpoint_url = reader.url('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL')
    if not name:
        return None
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if not re.fullmatch(r'[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]', name):
        reader.complain('S3_BUCKET', 'must be the name of a bucket, without a scheme or a path')
    region = reader.text('AWS_REGION', reader.text('AWS_DEFAULT_REGION', '')) or None
    if region is not None and not re.fullmatch(r'[a-z0-9-]{2,40}', region):
        reader.complain('AWS_REGION', 'must be a region such as eu-central-1')
    return S3Bucket(name=name, region=region, endpoint_url=endpoint_url, base_url=base_url)
