import email.policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from talelio_backend.shared.mail.business.message import Mail, MailNotSent
from talelio_backend.shared.mail.data.mailers import FolderMailer
from tests.support.at_once import at_once

SENDER = 'Maker <noreply@api.test>'
MESSAGE_ID = UUID('0d3b9f6e-2f0a-4d0c-9c3e-0b7a5f4f9f10')
LINK = 'https://api.test/v1/accounts/verify/' + 'x' * 300
MAIL = Mail(
    to='reader@example.com',
    subject='Grüezi 👋',
    text=f'Öffne\n\n{LINK}\n',
    html=f'<a href="{LINK}">ä</a>\n',
    link=LINK
)


@pytest.fixture(name='folder')
def fixture_folder(tmp_path: Path) -> Path:
    """Not there yet, and neither is the one above."""
    return tmp_path / 'var' / 'mail'


def read(file: Path) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(file.read_bytes())


def test_a_mail_is_kept_whole(folder: Path) -> None:
    FolderMailer(folder, SENDER).send(MAIL, MESSAGE_ID)

    [file] = folder.iterdir()
    mail = read(file)
    assert not mail.defects
    assert (mail['From'], mail['To'], mail['Subject']) == (SENDER, 'reader@example.com', 'Grüezi 👋')
    assert mail['Message-ID'] == f'<{MESSAGE_ID}@api.test>'
    plain, rich = mail.get_body(['plain']), mail.get_body(['html'])
    assert plain is not None and plain.get_content() == MAIL.text
    assert rich is not None and rich.get_content() == MAIL.html


def test_a_file_is_named_by_time_and_message(folder: Path) -> None:
    FolderMailer(folder, SENDER).send(MAIL, MESSAGE_ID)

    [file] = folder.iterdir()
    time, _, rest = file.name.rpartition(f'-{MESSAGE_ID}')
    assert rest == '.eml'
    assert len(time) == len('20260301-123059') and time.replace('-', '').isdigit()


def test_the_terminal_shows_the_whole_link_and_where_the_mail_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FolderMailer(folder, SENDER).send(MAIL, MESSAGE_ID)

    [file] = folder.iterdir()
    shown = capsys.readouterr().out.splitlines()
    assert shown == ['Mail to reader@example.com: Grüezi 👋', f'  {LINK}', f'  kept in {file}']


def test_the_link_is_in_no_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('DEBUG')

    FolderMailer(folder, SENDER).send(MAIL, MESSAGE_ID)

    assert not caplog.records


def test_many_mails_at_once_are_all_kept(folder: Path) -> None:
    mailers = [FolderMailer(folder, SENDER) for _ in range(8)]

    at_once([partial(mailer.send, MAIL, uuid4()) for mailer in mailers])

    assert len(list(folder.glob('*.eml'))) == len(list(folder.iterdir())) == 8


def test_mails_of_before_stay(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / 'older.eml').write_text('older', encoding='utf-8')

    FolderMailer(folder, SENDER).send(MAIL, MESSAGE_ID)

    assert (folder / 'older.eml').read_text(encoding='utf-8') == 'older'
    assert len(list(folder.iterdir())) == 2


def test_an_address_with_a_line_break_is_refused_and_leaves_no_file(folder: Path) -> None:
    mail = Mail(to='reader@example.com\n', subject='Hello', text='text', html='html', link=LINK)

    with pytest.raises(MailNotSent) as raised:
        FolderMailer(folder, SENDER).send(mail, MESSAGE_ID)

    assert raised.value.permanent
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_to_is_worth_another_try(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mailer = FolderMailer(folder, SENDER)
    folder.parent.write_text('a file is in the way', encoding='utf-8')

    with pytest.raises(MailNotSent) as raised:
        mailer.send(MAIL, MESSAGE_ID)
    folder.parent.unlink()
    mailer.send(MAIL, MESSAGE_ID)

    assert not raised.value.permanent
    assert LINK not in str(raised.value)
    assert capsys.readouterr().out.count(LINK) == 1
    assert len(list(folder.iterdir())) == 1
