from http import HTTPStatus

import pytest

from talelio_backend.shared.presentation.errors.problem_details import reason_phrase


@pytest.mark.parametrize(('status', 'phrase'), [
    (404, 'Not Found'),
    (413, 'Request Entity Too Large'),
    (414, 'Request-URI Too Long'),
    (416, 'Requested Range Not Satisfiable'),
    (422, 'Unprocessable Entity'),
])
def test_a_status_has_the_same_name_on_every_python(status: int, phrase: str) -> None:
    assert reason_phrase(HTTPStatus(status)) == phrase
