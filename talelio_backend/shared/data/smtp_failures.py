"""What a mail server's failures mean to the operator."""
import smtplib
import ssl

from talelio_backend.shared.business.checkup import Finding, fail

MAIL = 'mail'

_SEE_URL = 'Set host and port in SMTP_URL right, and see that no firewall stands between'


def smtp_failure(place: str, error: Exception) -> Finding:
    """Nothing that the server said is quoted: it may repeat an address or a password."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return fail(
            MAIL, f'{place} refused the login ({error.smtp_code})',
            'Set user and password in SMTP_URL right, '
            'with %XX for special characters'
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return fail(
            MAIL, f'{place} does not offer STARTTLS, or no login that we know',
            'Set the port of a server that does in SMTP_URL (often 587), or use smtps:// (465)'
        )
    if isinstance(error, ssl.SSLError):
        return _tls_failure(place, error)
    if isinstance(error, smtplib.SMTPException):
        return fail(MAIL, f'{place} does not behave like a mail server ({type(error).__name__})', _SEE_URL)
    if isinstance(error, OSError):
        reason = 'no answer in time' if isinstance(error, TimeoutError) else \
            error.strerror or type(error).__name__
        return fail(MAIL, f'{place} was not reached: {reason}', _SEE_URL)
    return fail(MAIL, f'the name of {place} or the login is not plain ASCII', _SEE_URL)


def _tls_failure(place: str, error: ssl.SSLError) -> Finding:
    if isinstance(error, ssl.SSLCertVerificationError):
        return fail(
            MAIL, f'{place} shows a certificate that is not good: {error.verify_message}',
            'Name the server in SMTP_URL as its certificate does, or have it renewed'
        )
    return fail(
        MAIL, f'{place} does not speak TLS here',
        'Use smtps:// for implicit TLS (465), and smtp://…?starttls=1 for STARTTLS (587)'
    )
