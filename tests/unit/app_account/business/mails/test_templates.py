from talelio_backend.app_account.business.mails.templates import MailTemplate

TEMPLATE = MailTemplate(
    subject='News of {site}',
    before=('there are news for {username} & friends at {site}.', 'Open this link:'),
    after=('If you do not care, do nothing.', 'Or write {link} down.'),
    action='Read it at {site}',
)
LINK = 'https://api.test/x?a=1&b=2'


def test_the_text_has_the_link_on_its_own_line() -> None:
    mail = TEMPLATE.render(to='maker@example.com', username='maker', link=LINK, site='api.test')

    assert (mail.to, mail.subject, mail.link) == ('maker@example.com', 'News of api.test', LINK)
    assert mail.text == '''\
Hello,

there are news for maker & friends at api.test.

Open this link:

https://api.test/x?a=1&b=2

If you do not care, do nothing.

Or write https://api.test/x?a=1&b=2 down.

This message was sent automatically by api.test.
'''


def test_the_html_has_the_same_content_escaped() -> None:
    mail = TEMPLATE.render(to='maker@example.com', username='<b>', link=LINK, site='a&b')

    escaped = 'https://api.test/x?a=1&amp;b=2'
    for part in (
        '<title>News of a&amp;b</title>',
        '<p>Hello,</p>\n<p>there are news for &lt;b&gt; &amp; friends at a&amp;b.</p>\n',
        '</p>\n<p>Open this link:</p>\n',
        f'<p><a href="{escaped}">Read it at a&amp;b</a></p>',
        f'break-all">{escaped}</span>',
        f'<p>If you do not care, do nothing.</p>\n<p>Or write {escaped} down.</p>\n',
        'This message was sent automatically by a&amp;b.</p>',
    ):
        assert part in mail.html
    assert '<b>' not in mail.html
