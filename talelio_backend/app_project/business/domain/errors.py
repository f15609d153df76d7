from talelio_backend.shared.business.errors import Conflict, Forbidden, Invalid, NotFound


class TooExpensiveToRender(Invalid):
    """Rendering the Markdown exceeds the limit of CPU time, memory or output size."""

    def __init__(self) -> None:
        super().__init__('The body is too complex to render')


class NotRenderable(Invalid):
    """The Markdown triggers a bug in the renderer."""

    def __init__(self) -> None:
        super().__init__('The body cannot be rendered')


class ProjectNotFound(NotFound):
    """The project does not exist, or is not public. Only its owner may learn which."""

    def __init__(self) -> None:
        super().__init__('There is no such project')


class NotYourProject(Forbidden):
    """The project is public, but belongs to another user."""

    def __init__(self) -> None:
        super().__init__('This project belongs to somebody else')


class RevisionNotFound(NotFound):
    """The revision never existed, or was pruned."""

    def __init__(self, number: int) -> None:
        super().__init__(f'There is no revision {number} of this project')


class SlugTaken(Conflict):

    def __init__(self, slug: str) -> None:
        super().__init__(f"You have another project with the slug '{slug}'")
