"""What is fed with bytes that nobody thought of, and what must hold of each. Anything else raises.

Replayed on the corpora by tests/unit/fuzz/test_corpora.py; searched on by tests/fuzz/search.py.
"""
from collections.abc import Callable
from pathlib import Path
from time import process_time

import orjson
from flask import Flask
from werkzeug.exceptions import HTTPException

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.data.imaging.image_codec import prepare
from talelio_backend.app_asset.data.imaging.opening import open_source
from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from talelio_backend.app_project.data.rendering.markdown_html import to_rendered
from talelio_backend.app_project.data.rendering.sandboxed_renderer import CPU_SECONDS
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.schemas import Body, Text
from talelio_backend.shared.workers.sandboxed_worker_child import LimitExceeded
from tests.support.safe_page import assert_safe

CORPUS = Path(__file__).with_name('corpus')
# Small enough that a search decodes many a second.
LIMITS = ImageLimits(bytes=64 * 1024, pixels=40_000, frames=4, summed_pixels=80_000)

_APP = Flask(__name__)


class _LetterBody(Body):
    subject: Text
    words: Text
    number: int | None = None


def markdown(content: bytes) -> None:
    """The HTML is safe in bounded time; or the text is refused for its cost."""
    # As it comes from JSON: text, without a NUL.
    text = content.decode(errors='replace').replace('\0', '')
    started = process_time()
    try:
        rendered = to_rendered(text)
    # Too deep for the renderer: the bounded worker says so, and the author is told.
    except (LimitExceeded, RecursionError):
        rendered = None
    assert process_time() - started < CPU_SECONDS
    if rendered is not None:
        assert_safe(rendered['html'])
        assert '<' not in ''.join(entry['id'] for entry in rendered['toc'])


def json_body(content: bytes) -> None:
    """It is read as another parser reads it, or refused with an error that becomes a 4xx."""
    try:
        with _APP.test_request_context(method='POST', data=content, content_type='application/json'):
            body = read_body(_LetterBody)
    except HTTPException as error:
        assert error.code is not None and 400 <= error.code < 500
    except Invalid as error:
        if error.message.startswith('Malformed JSON'):
            assert not _is_json(content), error.message
        # It goes into an answer.
        error.message.encode()
    else:
        document = orjson.loads(content)
        assert (body.subject, body.words) == (document['subject'], document['words'])
        assert '\0' not in body.subject + body.words
        assert body.number == document.get('number')


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def picture(content: bytes) -> None:
    """It is opened and made anew within the limits, or refused."""
    try:
        source = open_source(content, LIMITS)
        assert 1 <= source.width * source.height <= LIMITS.pixels
        made = prepare(content, LIMITS)
        assert len(made.content) <= 3 * LIMITS.bytes
    except (InvalidImageType, ImageTooLarge):
        return
    # What was made is a picture that would be taken as well, of the same size.
    again = open_source(made.content, ImageLimits())
    assert {again.width, again.height} == {made.width, made.height}


TARGETS: dict[str, Callable[[bytes], None]] = {'markdown': markdown, 'json': json_body, 'picture': picture}
