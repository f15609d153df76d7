"""Where things are, on the site and in this API."""
from dataclasses import dataclass
from urllib.parse import quote

from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.presentation.project_json import project_url


@dataclass(frozen=True, kw_only=True)
class Addresses:
    api_base_url: str
    # Of the site's pages, with {username}, and {slug} or {id}, to be filled in; None where there is no site.
    site_project_url: str | None = None
    site_user_url: str | None = None

    def project(self, *, username: str, project_id: int, slug: str) -> str:
        """For people to open."""
        if self.site_project_url is None:
            return project_url(self.api_base_url, project_id)
        return self.site_project_url.format(username=_quoted(username), slug=_quoted(slug), id=project_id)

    def user(self, username: str) -> str:
        """For people to open."""
        if self.site_user_url is None:
            return f'{self._user(username)}/projects'
        return self.site_user_url.format(username=_quoted(username))

    def identity(self, project: Project) -> str:
        """Names the project for good, wherever its page is."""
        return project_url(self.api_base_url, project.id)

    def feed(self, username: str, file_name: str) -> str:
        return f'{self._user(username)}/{file_name}'

    def _user(self, username: str) -> str:
        return f'{self.api_base_url}/v1/users/{_quoted(username)}'


def _quoted(text: str) -> str:
    return quote(text, safe='')
