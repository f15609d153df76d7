from talelio_backend.shared.business.errors import Invalid


class TooExpensiveToRender(Invalid):
    """The Markdown needs more time or memory, or grows into more HTML, than one project may have."""

    def __init__(self) -> None:
        super().__init__('The body is too complex to render')


class NotRenderable(Invalid):
    """The Markdown runs into a fault of the renderer."""

    def __init__(self) -> None:
        super().__init__('The body cannot be rendered')
