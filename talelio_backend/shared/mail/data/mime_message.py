import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from uuid import UUID

from talelio_backend.shared.mail.business.message import Mail, MailNotSent

# Without special characters of headers (RFC 5322, section 3.2.3), such as a comma.
_ONE_ADDRESS = re.compile(r'[^\s"(),:;<>@\[\\\]]+@[\w.-]+')

# Characters (RFC 5322, section 2.1.1).
_LONGEST_LINE = 998


def make_message(mail: Mail, message_id: UUID, sender: str, now: datetime) -> EmailMessage:
    """Return an RFC 5322 message with a text and an HTML part. Raises MailNotSent."""
    message = EmailMessage()
    message['From'] = from_ = _sender(sender)
    message['To'] = _recipient(mail.to)
    message['Subject'] = mail.subject
    message['Date'] = format_datetime(now)
    message['Message-ID'] = f'<{message_id}@{from_.domain}>'
    # Suppresses automatic replies (RFC 3834, section 5).
    message['Auto-Submitted'] = 'auto-generated'
    message.set_content(mail.text, cte=_encoding(mail.text))
    message.add_alternative(mail.html, subtype='html', cte=_encoding(mail.html))
    return message


def _encoding(text: str) -> str | None:
    """Prefer 7bit: the library's choice would wrap long lines, and with them links."""
    longest = max((len(line) for line in text.splitlines()), default=0)
    return '7bit' if text.isascii() and longest <= _LONGEST_LINE else None


def _sender(sender: str) -> Address:
    name, address = parseaddr(sender)
    local_part, _, domain = address.rpartition('@')
    # Any server accepts the ASCII form of an international domain (RFC 3490).
    return Address(name, local_part, domain.encode('idna').decode())


def _recipient(address: str) -> str:
    """Return the address if it is a single one and cannot inject a header. Raises MailNotSent."""
    # An encoded word (RFC 2047) could decode to another address or a line break.
    if not _ONE_ADDRESS.fullmatch(address) or not address.isprintable() or '=?' in address:
        raise MailNotSent('the address is not one that mail can go to', permanent=True)
    return address
