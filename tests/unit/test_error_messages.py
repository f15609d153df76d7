"""What people read when something is refused: to the letter, since sites show it and clients rely on it."""
import pytest

from talelio_backend.app_account.business.domain import errors as account
from talelio_backend.app_account.business.use_cases.administration import NoSuchAccount
from talelio_backend.app_account.business.use_cases.whitelist import NotOnWhitelist
from talelio_backend.app_asset.business import errors as asset
from talelio_backend.app_feed.business import errors as feed
from talelio_backend.app_project.business.domain import errors as project
from talelio_backend.app_user.business import errors as user
from talelio_backend.shared.business import errors
from talelio_backend.shared.business.errors import BusinessError, Fault
from talelio_backend.shared.idempotency.business import claims

MESSAGES = [
    (account.EmailNotWhitelisted, (), 'Email not whitelisted'),
    (account.EmailTaken, ('x@y.test', ), "Account with the email 'x@y.test' already exists"),
    (account.WeakPassword, ('is weak', ), "'password' is weak"),
    (account.InvalidCredentials, (), 'Invalid username or password'),
    (account.AccountNotVerified, (), 'Account not verified'),
    (account.AccountDisabled, (), 'Account disabled'),
    (account.AccountAlreadyVerified, (), 'Account already verified'),
    (account.InvalidVerificationToken, (), 'Invalid verification token'),
    (account.NoRegisteredAccount, ('x@y.test', ), "No registered account with the email 'x@y.test'"),
    (account.WrongPassword, (), 'Wrong password'),
    (account.InvalidLink, (), 'The link is not good, or not any more'),
    (account.ChangedMeanwhile, (), 'The account was being changed at the same time, please try again'),
    (account.InvalidRefreshToken, (), 'Invalid refresh token'),
    (account.InvalidRefreshToken, ('No refresh token', ), 'No refresh token'),
    (account.SessionOver, (), 'The session has ended, please log in again'),
    (account.SessionEnded, (), 'The session of this token has ended'),
    (account.SessionNotFound, (7, ), 'There is no session 7'),
    (NoSuchAccount, ('x@y.test', ), "There is no account 'x@y.test'"),
    (NotOnWhitelist, ('x@y.test', ), "'x@y.test' is not on the whitelist of the database"),
    (user.InvalidUsername, ('is reserved', ), "'username' is reserved"),
    (user.UsernameTaken, ('maker', ), "Account with the username 'maker' already exists"),
    (user.UserNotFound, ('maker', ), "User 'maker' does not exist"),
    (user.AccountGone, (), 'The account of this token does not exist'),
    (project.TooExpensiveToRender, (), 'The body is too complex to render'),
    (project.NotRenderable, (), 'The body cannot be rendered'),
    (project.ProjectNotFound, (), 'There is no such project'),
    (project.NotYourProject, (), 'This project belongs to somebody else'),
    (project.RevisionNotFound, (7, ), 'There is no revision 7 of this project'),
    (project.SlugTaken, ('a-slug', ), "You have another project with the slug 'a-slug'"),
    (asset.InvalidImageType, (), 'One or more image files are of invalid type'),
    (asset.ImageTooLarge, (), 'One or more image files are too large'),
    (asset.ImageNotFound, (7, ), 'You have no image 7'),
    (feed.InvalidCursor, (), "'since' must be the 'next' of an answer before"),
    (feed.CursorGone, (), "'since' is too old, or of another database: begin anew, without it"),
    (feed.FeedNotFound, ('maker', ), "There is no feed, since the user 'maker' does not exist"),
    (feed.NothingPublished, (), 'Nothing is published yet'),
    (claims.KeyReused, (), 'This Idempotency-Key was used for another request'),
    (claims.KeyInUse, (), 'The request with this Idempotency-Key is still being worked on'),
    (errors.PreconditionFailed, (), 'This has been changed since you read it: read it again'),
]  # yapf: disable


@pytest.mark.parametrize(('error', 'arguments', 'message'), MESSAGES)
def test_an_error_is_told_in_these_words(
    error: type[BusinessError], arguments: tuple[object, ...], message: str
) -> None:
    raised = error(*arguments)

    assert (raised.message, str(raised)) == (message, message)


@pytest.mark.parametrize(('error', 'name'), [(account.WeakPassword, 'password'),
                                             (user.InvalidUsername, 'username')])
def test_what_is_wrong_with_a_value_points_at_it(error: type[BusinessError], name: str) -> None:
    assert error('is wrong').faults == (Fault((name, ), 'is wrong'), )


def test_who_is_told_to_come_back_is_told_when() -> None:
    assert account.ChangedMeanwhile().retry_after == 2
    assert claims.KeyInUse().retry_after == 2
    assert errors.TooManyRequests('Too often', retry_after=7).retry_after == 7
