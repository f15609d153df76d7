"""The layout of a mail with a link."""
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
class Wording:
    """Texts with the placeholders `{site}`, `{username}`, `{link}` and those that `write` is given."""

    subject: str
    # Paragraphs before and after the link.
    before: tuple[str, ...]
    after: tuple[str, ...]
    # The text of the link.
    action: str


def write(wording: Wording, *, to: str, username: str, link: str, site: str, **more: str) -> Mail:
    words = {'site': site, 'username': username, 'link': link, **more}
    subject, action = wording.subject.format_map(words), wording.action.format_map(words)
    before, after = ([text.format_map(words) for text in texts] for texts in (wording.before, wording.after))
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
