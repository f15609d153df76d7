"""The mails about an account: a layout with a link, and the texts."""
from dataclasses import dataclass
from html import escape

from talelio_backend.shared.mail.business.message import Mail

_HTML = '''\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 2em auto; padding: 0 1em">
<p>Hello,</p>
{before}
<p><a href="{link}">{action}</a></p>
<p>If the link does not open, copy this address into your browser:<br>
<span style="word-break: break-all">{link}</span></p>
{after}
<p style="color: #666">{closing}</p>
</body>
</html>
'''


@dataclass(frozen=True, kw_only=True)
class MailTemplate:
    """Texts with the placeholders `{site}`, `{username}`, `{link}`, and those that `render` is given."""

    subject: str
    # Paragraphs before and after the link.
    before: tuple[str, ...]
    after: tuple[str, ...]
    # The text of the link.
    action: str

    def render(self, *, to: str, username: str, link: str, site: str, **more: str) -> Mail:
        words = {'site': site, 'username': username, 'link': link, **more}
        subject, action = self.subject.format_map(words), self.action.format_map(words)
        before, after = ([text.format_map(words) for text in texts] for texts in (self.before, self.after))
        closing = f'This message was sent automatically by {site}.'
        return Mail(
            to=to,
            subject=subject,
            text='\n\n'.join(['Hello,', *before, link, *after, closing]) + '\n',
            html=_HTML.format(
                subject=escape(subject),
                before=_paragraphs(before),
                link=escape(link),
                action=escape(action),
                after=_paragraphs(after),
                closing=escape(closing),
            ),
            link=link,
        )


def _paragraphs(texts: list[str]) -> str:
    return '\n'.join(f'<p>{escape(text)}</p>' for text in texts)


VERIFICATION = MailTemplate(
    subject='Confirm your e-mail address for {site}',
    before=(
        'somebody, hopefully you, registered at {site} with this e-mail address, the username {username} '
        'and a password.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=(
        'If it was not you, ignore this message and do not open the link. The person who registered chose '
        'the password, and can log in once the address is confirmed.',
        'To take over the account, ask for a new password. The first one then stops working, even if the '
        'link was opened already, for example by a program that checks your mails:',
        '{recovery}',
    ),
    action='Confirm my e-mail address',
)
RESET = MailTemplate(
    subject='Choose a new password for {site}',
    before=(
        'somebody, hopefully you, asked for a new password for the account {username} at {site}.',
        'To choose one, open this link within an hour:',
    ),
    after=('If it was not you, ignore this message: the password stays as it is.', ),
    action='Choose a new password',
)
CHANGED = MailTemplate(
    subject='Your password for {site} was changed',
    before=(
        'the password of the account {username} at {site} was changed, and other devices were logged out.',
        'Here is the site:',
    ),
    after=('If it was not you, ask for a new password there at once.', ),
    action='{site}',
)
CONFIRMATION = MailTemplate(
    subject='Confirm your new e-mail address for {site}',
    before=(
        'somebody, hopefully you, wants to use this e-mail address for the account {username} at {site}.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=('If it was not you, ignore this message: the address stays as it is.', ),
    action='Confirm my new e-mail address',
)
ANNOUNCEMENT = MailTemplate(
    subject='Your e-mail address for {site} is being changed',
    before=(
        'somebody, hopefully you, asked to change the e-mail address of the account {username} at {site}.',
        'If it was not you, open this link within seven days. It returns the account to this address, even '
        'after the change. All devices are then logged out, and you choose a new password:',
    ),
    after=('If it was you, there is nothing to do.', ),
    action='Undo the change',
)
