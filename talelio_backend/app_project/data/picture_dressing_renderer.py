from talelio_backend.app_project.business.ports import FindPictures, MarkdownRenderer
from talelio_backend.app_project.business.rendered import Rendered
from talelio_backend.app_project.data.picture_attributes import addresses_of_pictures, dress


class PictureDressingRenderer:
    """Adds to the HTML what is known of the pictures in it, at the time of rendering."""

    def __init__(self, renderer: MarkdownRenderer, find_pictures: FindPictures) -> None:
        self._renderer = renderer
        self._find_pictures = find_pictures

    def render(self, markdown: str) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`. Raises what finding pictures does, too."""
        rendered = self._renderer.render(markdown)
        addresses = addresses_of_pictures(rendered['html'])
        if addresses:
            rendered['html'] = dress(rendered['html'], self._find_pictures(addresses))
        return rendered
