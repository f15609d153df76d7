from talelio_backend.shared.business.errors import Conflict, Forbidden, Invalid, NotFound


class TooExpensiveToRender(Invalid):
    """The Markdown needs more time or memory, or grows into more HTML, than one project may have."""

    def __init__(self) -> None:
        super().__init__('The body is too complex to render')


class NotRenderable(Invalid):
    """The Markdown runs into a fault of the renderer."""

    def __init__(self) -> None:
        super().__init__('The body cannot be rendered')


class ProjectNotFound(NotFound):
    """It does not exist, or it is somebody else's and not public: nobody else may learn which."""

    def __init__(self) -> None:
        super().__init__('There is no such project')


class NotYourProject(Forbidden):
    """It is public, but only its owner may change it."""

    def __init__(self) -> None:
        super().__init__('This project belongs to somebody else')


class RevisionNotFound(NotFound):
    """It never was there, or is too old to be kept."""

    def __init__(self, number: int) -> None:
        super().__init__(f'There is no revision {number} of this project')


class SlugTaken(Conflict):

    def __init__(self, slug: str) -> None:
        super().__init__(f"You have another project with the slug '{slug}'")
