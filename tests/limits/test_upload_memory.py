"""Eight of the largest pictures at once, on a machine that has a gibibyte for everything."""
from http import HTTPStatus
from itertools import count

from PIL import Image

from tests.benchmarks.processes import peak_memory
from tests.e2e.conftest import Serve
from tests.limits.ratios import median_ratio
from tests.support.at_once import at_once
from tests.support.members import join
from tests.support.pictures import saved
from tests.support.uploads import new_picture, send, upload

UPLOADS = 8
# As many pixels as are taken, of the mode that needs the most memory.
LARGEST = (5000, 5000)
GIB = 1024**3


def test_eight_of_the_largest_pictures_at_once_take_less_than_a_gibibyte(
    serve: Serve, database_url: str
) -> None:
    api = serve(database_url)
    member = join(api)
    shades = count()

    def peak_and_gibibyte() -> tuple[float, float]:
        pictures = [
            saved(Image.new('RGBA', LARGEST, (next(shades), 0, 0, 200)), 'PNG') for _ in range(UPLOADS)
        ]
        with peak_memory(api.pid) as peak:
            responses = at_once([
                lambda picture=picture: send(api, member, picture)  # type: ignore[misc]
                for picture in pictures
            ])
        # Who would have to wait for too long is told to come back.
        assert {response.status_code
                for response in responses} <= {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
        assert HTTPStatus.OK in {response.status_code for response in responses}
        assert peak[0] > 0
        return peak[0], GIB

    assert median_ratio(peak_and_gibibyte, rounds=3) < 1
    # Both workers are those of the beginning.
    assert api.log().count('Booting worker') == 2
    upload(api, member, new_picture())
