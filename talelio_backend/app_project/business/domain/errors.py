from talelio_backend.shared.business.errors import Conflict, Forbidden, Invalid, NotFound


class TooExpensiveToRender(Invalid):
    """Rendering the Markdown exceeds the limit of CPU time, memory or output size."""

    message = 'The body is too complex to render'


class NotRenderable(Invalid):
    """The Markdown triggers a bug in the renderer."""

    message = 'The body cannot be rendered'


class ProjectNotFound(NotFound):
    """The project does not exist, or is not public. Only its owner may learn which."""

    message = 'There is no such project'


class NotYourProject(Forbidden):
    """The project is public, but belongs to another user."""

    message = 'This project belongs to somebody else'


class RevisionNotFound(NotFound):
    """The revision never existed, or was pruned."""

    template = 'There is no revision {} of this project'


class SlugTaken(Conflict):
    template = "You have another project with the slug '{}'"
