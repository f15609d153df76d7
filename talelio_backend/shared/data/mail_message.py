from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from datetime import datetime
from uuid import UUID

from talelio_backend.shared.business.mail import Mail


def make_message(mail: Mail, message_id: UUID, sender: str, now: datetime) -> EmailMessage:
    """Return the mail as RFC 5322 has it, with a text and an HTML part.

    EmailMessage refuses line breaks in headers, so that an address cannot smuggle one in.
    """
    message = EmailMessage()
    message['From'] = sender
    message['To'] = mail.to
    message['Subject'] = mail.subject
    message['Date'] = format_datetime(now)
    message['Message-ID'] = f'<{message_id}@{parseaddr(sender)[1].rpartition("@")[2]}>'
    # Automatic replies to it help nobody (RFC 3834, section 5).
    message['Auto-Submitted'] = 'auto-generated'
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype='html')
    return message
