from talelio_backend.shared.business.errors import Gone, Invalid, NotFound


class InvalidCursor(Invalid):

    def __init__(self) -> None:
        super().__init__("'since' must be the 'next' of an answer before")


class CursorGone(Gone):
    """Nobody can say any more what has been removed since."""

    def __init__(self) -> None:
        super().__init__("'since' is too old, or of another database: begin anew, without it")


class FeedNotFound(NotFound):

    def __init__(self, username: str) -> None:
        super().__init__(f"There is no feed, since the user '{username}' does not exist")


class NothingPublished(NotFound):
    """A sitemap must name one page at least."""

    def __init__(self) -> None:
        super().__init__('Nothing is published yet')
