from talelio_backend.shared.business.errors import Gone, Invalid, NotFound


class InvalidCursor(Invalid):
    message = "'since' must be the 'next' of an answer before"


class CursorGone(Gone):
    """Removals since the cursor are no longer recorded."""

    message = "'since' is too old, or of another database: begin anew, without it"


class FeedNotFound(NotFound):
    template = "There is no feed, since the user '{}' does not exist"


class NothingPublished(NotFound):
    """A sitemap must contain at least one page."""

    message = 'Nothing is published yet'
