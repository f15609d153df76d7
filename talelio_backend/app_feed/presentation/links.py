"""Builds URLs of the site and of this API."""
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.presentation.project_json import project_url


@dataclass(frozen=True, kw_only=True)
class Links:
    api_base_url: str
    # Makes HTML independent of its page, given by URL.
    to_portable_html: Callable[[str, str], str]
    # Templates for pages of the site, with {username}, and {slug} or {id}. None if there is no site.
    site_project_url: str | None = None
    site_user_url: str | None = None

    def project(self, *, username: str, project_id: int, slug: str) -> str:
        """Return the URL of the page for readers."""
        if self.site_project_url is None:
            return project_url(self.api_base_url, project_id)
        return self.site_project_url.format(username=_quoted(username), slug=_quoted(slug), id=project_id)

    def user(self, username: str) -> str:
        """Return the URL of the page for readers."""
        if self.site_user_url is None:
            return f'{self._user(username)}/projects'
        return self.site_user_url.format(username=_quoted(username))

    def identity(self, project: Project) -> str:
        """Return a permanent id that does not depend on the site."""
        return project_url(self.api_base_url, project.id)

    def feed(self, username: str, file_name: str) -> str:
        return f'{self._user(username)}/{file_name}'

    def _user(self, username: str) -> str:
        return f'{self.api_base_url}/v1/users/{_quoted(username)}'


def _quoted(text: str) -> str:
    return quote(text, safe='')
