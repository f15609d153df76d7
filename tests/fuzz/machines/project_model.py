"""What projects are, told as plainly as can be: the state machine holds the service against it.

It knows texts of ASCII letters only, two users, and times that are past or far ahead.
"""
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]
# As a reader sees a project, or the message of the error.
View = dict[str, Any]

PAST, FUTURE = 'past', 'future'
NO_SUCH = 'There is no such project'
NOT_YOURS = 'This project belongs to somebody else'


@dataclass
class ModelProject:
    owner: str
    id: int = 0
    slug: str = ''
    title: str = ''
    body: str = ''
    summary: str | None = None
    status: str = 'published'
    # PAST, FUTURE, or the number of the step in which it was published.
    published_at: int | str | None = None
    tags: list[str] = field(default_factory=list)
    position: int = 0
    changed: bool = False
    # Title, body and summary before each change of one of them.
    revisions: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def text(self) -> tuple[str, str, str | None]:
        return self.title, self.body, self.summary

    @property
    def content(self) -> tuple[Any, ...]:
        return *self.text, self.status, self.published_at, self.tags, self.position

    @property
    def is_public(self) -> bool:
        return self.status == 'published' and self.published_at != FUTURE

    @property
    def showing(self) -> str:
        if self.status == 'draft':
            return 'draft'
        return 'published' if self.is_public else 'scheduled'

    @property
    def view(self) -> View:
        return {
            'id': self.id,
            'title': self.title,
            'body': self.body,
            'summary': self.summary or self.body,
            'slug': self.slug,
            'status': self.status,
            'published': self.published_at if self.published_at in (None, FUTURE) else PAST,
            'tags': self.tags,
            'position': self.position,
            'changed': self.changed,
        }


class ProjectModel:

    def __init__(self) -> None:
        self.projects: list[ModelProject] = []
        # To the project that had it, by owner and slug.
        self.old_slugs: dict[tuple[str, str], ModelProject] = {}
        self._step = 0

    def publish(self, owner: str, fields: Fields) -> ModelProject | str:
        project = ModelProject(owner)
        self._write(project, fields)
        slug = self._free_slug(project, fields.get('slug'))
        if slug is None:
            return taken(fields['slug'])
        self.old_slugs.pop((owner, slug), None)
        project.slug = slug
        self.projects.append(project)
        return project

    def change(self, who: str, project: ModelProject, fields: Fields) -> str | None:
        """Return the message of the error, or None."""
        if refusal := self.refusal_of(who, project):
            return refusal
        before_text, before_content, before_slug = project.text, project.content, project.slug
        slug = self._free_slug(
            project, fields['slug'], fields.get('title')
        ) if 'slug' in fields else before_slug
        if slug is None:
            return taken(fields['slug'])
        self._write(project, fields)
        if slug != before_slug:
            self.old_slugs.pop((who, slug), None)
            self.old_slugs[who, before_slug] = project
            project.slug = slug
        if project.text != before_text:
            project.revisions.append(before_text)
        project.changed |= (project.content, slug) != (before_content, before_slug)
        return None

    def restore(self, who: str, project: ModelProject, number: int) -> str | None:
        if refusal := self.refusal_of(who, project):
            return refusal
        if number > len(project.revisions):
            return f'There is no revision {number} of this project'
        title, body, summary = project.revisions[number - 1]
        return self.change(who, project, {'title': title, 'body': body, 'summary': summary})

    def delete(self, who: str, project: ModelProject) -> str | None:
        if refusal := self.refusal_of(who, project):
            return refusal
        self.projects.remove(project)
        self.old_slugs = {key: each for key, each in self.old_slugs.items() if each is not project}
        return None

    def refusal_of(self, who: str, project: ModelProject) -> str | None:
        if project not in self.projects or (project.owner != who and not project.is_public):
            return NO_SUCH
        return None if project.owner == who else NOT_YOURS

    def show(self, reader: str | None, project: ModelProject | None) -> View | str:
        seen = project is not None and project in self.projects and (
            project.is_public or project.owner == reader
        )
        return project.view if project is not None and seen else NO_SUCH

    def by_slug(self, reader: str | None, owner: str, slug: str) -> View | str:
        own = [project for project in self.projects if (project.owner, project.slug) == (owner, slug)]
        return self.show(reader, own[0] if own else self.old_slugs.get((owner, slug)))

    def listing(self, reader: str | None, owner: str, status: str, word: str | None = None) -> list[View]:
        """The newest first."""
        return [
            project.view for project in reversed(self.projects)
            if project.owner == owner and status in ('all', project.showing) and
            (project.is_public or reader == owner) and (word is None or word in _words(project))
        ]

    def _write(self, project: ModelProject, fields: Fields) -> None:
        self._step += 1
        for name in ('title', 'body', 'summary', 'status', 'published_at', 'tags', 'position'):
            if name in fields:
                setattr(project, name, fields[name])
        if project.status == 'published' and project.published_at is None:
            project.published_at = self._step

    def _free_slug(self, project: ModelProject, slug: str | None, title: str | None = None) -> str | None:
        """None where another project has the one that was asked for."""
        others = [each for each in self.projects if each.owner == project.owner and each is not project]
        in_use = {each.slug for each in others}
        if slug is not None:
            return None if slug in in_use else slug
        promised = {
            key[1]
            for key, each in self.old_slugs.items() if key[0] == project.owner and each is not project
        }
        wanted = '-'.join(re.findall('[a-z]+', (title or project.title).lower()))
        numbered = [wanted, *(f'{wanted}-{number}' for number in range(2, 50))]
        return next(each for each in numbered if each not in in_use | promised)


def taken(slug: str) -> str:
    return f"You have another project with the slug '{slug}'"


def _words(project: ModelProject) -> set[str]:
    text = ' '.join([project.title, project.body, project.summary or '', *project.tags])
    return set(re.findall('[a-z]+', text.lower()))
