from datetime import UTC, datetime
from uuid import UUID

import pytest

from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.data.mailers import make_message

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LINK = 'https://api.example.com/v1/accounts/verify/' + 'x' * 400


@pytest.mark.parametrize('name', ['maker', 'Bjørn'])
def test_both_parts_arrive_as_written(name: str) -> None:
    mail = Mail(
        to='maker@example.com',
        subject=f'Hello {name}',
        text=f'Hello {name}\n{LINK}\n',
        html=f'<p>Hello {name}</p><a href="{LINK}">here</a>\n',
        link=LINK,
    )

    message = make_message(mail, UUID(int=7), 'Site <noreply@example.com>', NOW)

    text, html = message.get_body(('plain', )), message.get_body(('html', ))
    assert text is not None and text.get_content() == mail.text
    assert html is not None and html.get_content() == mail.html
    assert message['Subject'] == f'Hello {name}'
    assert message['Message-ID'] == '<00000000-0000-0000-0000-000000000007@example.com>'


def test_a_long_link_is_not_wrapped_in_the_raw_mail() -> None:
    mail = Mail(to='maker@example.com', subject='s', text=f'{LINK}\n', html='<p></p>\n', link=LINK)

    raw = bytes(make_message(mail, UUID(int=7), 'Site <noreply@example.com>', NOW))

    assert f'\n{LINK}\n'.encode() in raw
