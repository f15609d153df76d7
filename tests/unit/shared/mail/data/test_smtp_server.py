import pytest

from talelio_backend.shared.mail.data.smtp_server import SmtpServer


@pytest.mark.parametrize(
    ('url', 'server'),
    [
        ('smtp://mail.example.com', SmtpServer(host='mail.example.com', port=25)),
        ('smtp://[::1]:2525', SmtpServer(host='::1', port=2525)),
        (
            'smtp://me:p%40ss%2F@mail.example.com?starttls=1',
            SmtpServer(
                host='mail.example.com',
                port=587,
                username='me',
                password='p@ss/',
                starttls=True,
            )
        ),
        (
            'smtps://me:pass@mail.example.com',
            SmtpServer(
                host='mail.example.com',
                port=465,
                username='me',
                password='pass',
                implicit_tls=True,
            )
        ),
        ('smtp://mail.example.com?starttls=0', SmtpServer(host='mail.example.com', port=25)),
    ],
)
def test_a_url_is_parsed(url: str, server: SmtpServer) -> None:
    assert SmtpServer.from_url(url) == server


def test_the_repr_contains_no_password() -> None:
    assert 'planted' not in repr(SmtpServer.from_url('smtps://me:planted@mail.example.com'))
