"""The texts of the mails about an account."""
from talelio_backend.app_account.business.mails.templates import Wording

VERIFICATION = Wording(
    subject='Confirm your e-mail address for {site}',
    before=(
        'somebody, we hope you, registered at {site} with this e-mail address and the username {username}.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=(
        'If it was not you, do not open the link, and nothing more happens: as long as the address is not '
        'confirmed, nobody can log in with it. If you want the account for yourself, choose an own password '
        'instead of opening the link:',
        "curl -X POST '{claim_url}' -H 'Content-Type: application/json' "
        """-d '{{"password": "<yours>", "username": "<yours>"}}'""",
    ),
    action='Confirm my e-mail address',
)
RESET = Wording(
    subject='Choose a new password for {site}',
    before=(
        'somebody, we hope you, asked for a new password of the account {username} at {site}.',
        'To choose one, open this link within an hour:',
    ),
    after=('If it was not you, do nothing: the password stays as it is.', ),
    action='Choose a new password',
)
CHANGED = Wording(
    subject='Your password for {site} was changed',
    before=(
        'the password of the account {username} at {site} was changed, and other devices were logged out.',
        'This is where the site is:',
    ),
    after=('If it was not you, ask for a new password there at once.', ),
    action='{site}',
)
CONFIRMATION = Wording(
    subject='Confirm your new e-mail address for {site}',
    before=(
        'the account {username} at {site} is to have this e-mail address from now on.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=('If it was not you, do nothing: the address stays as it is.', ),
    action='Confirm my new e-mail address',
)
ANNOUNCEMENT = Wording(
    subject='Your e-mail address for {site} is being changed',
    before=(
        'somebody, we hope you, asked that the account {username} at {site} have another e-mail address.',
        'If it was not you, open this link within seven days. It gives the account back to this address, '
        'also after the change; all devices are logged out, and you choose a new password:',
    ),
    after=('If it was you, do nothing.', ),
    action='Take the change back',
)
