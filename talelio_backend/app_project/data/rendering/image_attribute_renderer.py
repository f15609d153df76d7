from talelio_backend.app_project.business.domain.rendered import Rendered
from talelio_backend.app_project.business.ports import FindPictures, MarkdownRenderer
from talelio_backend.app_project.data.rendering.image_attributes import add_image_attributes, image_urls


class ImageAttributeRenderer:
    """Adds to the HTML what is known of the pictures in it, at the time of rendering."""

    def __init__(self, renderer: MarkdownRenderer, find_own_images: FindPictures) -> None:
        self._renderer = renderer
        self._find_pictures = find_own_images

    def render(self, markdown: str) -> Rendered:
        """See `app_project.business.ports.MarkdownRenderer`. Raises what finding pictures does, too."""
        rendered = self._renderer.render(markdown)
        addresses = image_urls(rendered['html'])
        if addresses:
            rendered['html'] = add_image_attributes(rendered['html'], self._find_pictures(addresses))
        return rendered
