import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent

# Without what has a meaning of its own in the header (RFC 5322, section 3.2.3), such as a comma.
_ONE_ADDRESS = re.compile(r'[^\s"(),:;<>@\[\\\]]+@[\w.-]+')

# Characters (RFC 5322, section 2.1.1).
_LONGEST_LINE = 998


def make_message(mail: Mail, message_id: UUID, sender: str, now: datetime) -> EmailMessage:
    """Return the mail as RFC 5322 has it, with a text and an HTML part. Raises MailNotSent."""
    message = EmailMessage()
    message['From'] = from_ = _sender(sender)
    message['To'] = _recipient(mail.to)
    message['Subject'] = mail.subject
    message['Date'] = format_datetime(now)
    message['Message-ID'] = f'<{message_id}@{from_.domain}>'
    # Automatic replies to it help nobody (RFC 3834, section 5).
    message['Auto-Submitted'] = 'auto-generated'
    message.set_content(mail.text, cte=_encoding(mail.text))
    message.add_alternative(mail.html, subtype='html', cte=_encoding(mail.html))
    return message


def _encoding(text: str) -> str | None:
    """None leaves the choice to the library, which breaks a long line, and so a link, in the raw mail."""
    longest = max((len(line) for line in text.splitlines()), default=0)
    return '7bit' if text.isascii() and longest <= _LONGEST_LINE else None


def _sender(sender: str) -> Address:
    name, address = parseaddr(sender)
    local_part, _, domain = address.rpartition('@')
    # An international domain in its ASCII form (RFC 3490) goes through any server.
    return Address(name, local_part, domain.encode('idna').decode())


def _recipient(address: str) -> str:
    """The last check before the wire: whatever the address holds, it is one address and no header."""
    # An encoded word (RFC 2047) would be decoded into another address, or into a line break.
    if not _ONE_ADDRESS.fullmatch(address) or not address.isprintable() or '=?' in address:
        raise MailNotSent('the address is not one that mail can go to', permanent=True)
    return address
