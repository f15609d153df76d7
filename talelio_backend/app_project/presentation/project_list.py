"""Lists of projects: query parameters, and responses with links between the pages (RFC 8288)."""
from copy import copy
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlencode

from flask import Response, request
from pydantic import AfterValidator, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from talelio_backend.app_project.business.domain.fields import normalise_tag
from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery, ResultPage, Sort
from talelio_backend.app_project.business.domain.project import LIST_LENGTH
from talelio_backend.app_project.business.domain.search import Terms, parse_terms
from talelio_backend.app_project.business.domain.visibility import VisibilityFilter
from talelio_backend.app_project.presentation.cursors import read_cursor, write_cursor
from talelio_backend.app_project.presentation.html_forms import STORED, HtmlQuery
from talelio_backend.app_project.presentation.project_json import project_content, project_json
from talelio_backend.app_project.presentation.schemas import ProjectAnswer
from talelio_backend.shared.business.errors import InvalidValue
from talelio_backend.shared.presentation.json_responses import to_json
from talelio_backend.shared.presentation.requests.query_parameters import LARGEST_ID, one_of, whole_number
from talelio_backend.shared.presentation.requests.validation_errors import InvalidQuery
from talelio_backend.shared.presentation.schemas import Answer, Text

SNIPPET = 'snippet'
# The copy is for Pylint, which does not see that this is a dictionary.
_PROJECT_FIELDS: dict[str, FieldInfo] = dict(ProjectAnswer.model_fields)
FIELDS = (*_PROJECT_FIELDS, SNIPPET)


def _check_fields(text: str) -> str:
    names = text.split(',')
    if unknown := [name for name in names if name not in FIELDS]:
        raise ValueError(f"must be some of {', '.join(FIELDS)}, with commas between; '{unknown[0]}' is none")
    return text


class ProjectListQuery(HtmlQuery):
    """A default of None marks an absent parameter."""

    limit: whole_number(LIST_LENGTH, 'The most projects to return.') = LIST_LENGTH  # type: ignore[valid-type]
    before: whole_number(LARGEST_ID, 'Only projects with a smaller id.') = None  # type: ignore[valid-type]
    cursor: Annotated[
        Text,
        Field(description='The start of a page, from a `Link` header.', examples=['WyJ0aXRsZSIsImEiLDcsMF0'])
    ] = None  # type: ignore[assignment]
    status: one_of(  # type: ignore[valid-type]
        VisibilityFilter, 'Only the owner sees projects that are not published.'
    ) = VisibilityFilter.PUBLISHED
    tag: Annotated[Text, Field(description='Only projects with this tag.', examples=['wood'])
                   ] = None  # type: ignore[assignment]
    sort: one_of(  # type: ignore[valid-type]
        Sort, 'The default is the newest first or, with `q`, the most relevant first.'
    ) = None
    fields: Annotated[
        Text,
        AfterValidator(_check_fields),
        Field(description='Only these fields, separated by commas.', examples=['id,title,slug'])
    ] = None  # type: ignore[assignment]
    q: Annotated[
        Text,
        Field(description='Only projects that contain words beginning with these.', examples=['chair'])
    ] = None  # type: ignore[assignment]

    @cached_property
    def list_query(self) -> ListQuery:
        """Raises InvalidQuery."""
        terms = self._terms()
        sort = self.sort or (Sort.NEWEST if terms is None else Sort.RELEVANCE)
        if sort is Sort.RELEVANCE and terms is None:
            raise InvalidQuery.about('sort', "can be 'relevance' only with 'q'")
        return ListQuery(
            limit=self.limit,
            sort=sort,
            tag=self._tag(),
            terms=terms,
            cursor=self._place(sort),
        )

    def _terms(self) -> Terms | None:
        try:
            return parse_terms(self.q) if 'q' in self.model_fields_set else None
        except InvalidValue as error:
            raise InvalidQuery(error.message, error.faults) from None

    def _tag(self) -> str | None:
        try:
            return normalise_tag(self.tag) if 'tag' in self.model_fields_set else None
        except InvalidValue:
            raise InvalidQuery.about('tag', 'is none that a project could have') from None

    def _place(self, sort: Sort) -> Cursor | None:
        if self.before is None:
            return read_cursor(sort, self.cursor) if 'cursor' in self.model_fields_set else None
        if 'cursor' in self.model_fields_set:
            raise InvalidQuery.about('before', "cannot be together with 'cursor'")
        if sort is not Sort.NEWEST:
            raise InvalidQuery.about('before', "wants the newest first; other orders have 'cursor'")
        return Cursor(value=self.before, id=self.before)


def _optional(name: str) -> Any:
    field = copy(_PROJECT_FIELDS[name])
    # A plain default of None would show up in the schema.
    field.default = PydanticUndefined
    field.default_factory = lambda: None
    return field.annotation, field


SparseProjectAnswer: type[Answer] = create_model(
    'SparseProjectAnswer',
    __base__=Answer,
    __doc__='A project with only the requested fields, or with a snippet of the search.',
    **{name: _optional(name)
       for name in _PROJECT_FIELDS},
    snippet=(
        str,
        Field(
            default_factory=lambda: None,
            description='With `q`: the place that matches, as HTML whose only element is `mark`.',
            examples=['A <mark>chair</mark> of ash'],
        )
    ),
)


def list_response(page: ResultPage, query: ProjectListQuery, api_base_url: str) -> Response:
    list_query = query.list_query
    # None if absent, whatever its type says.
    fields: str | None = query.fields
    if fields is None and list_query.terms is None and query.form == STORED:
        contents: list[Any] = [project_json(project, api_base_url) for project in page.items]
    else:
        names = FIELDS if fields is None else fields.split(',')
        contents = []
        for project in page.items:
            content = project_content(project, api_base_url, query.form)
            if list_query.terms is not None:
                content[SNIPPET] = list_query.terms.snippet(
                    content['body'], content['summary'], content['title']
                )
            contents.append({name: value for name, value in content.items() if name in names})
    response = Response(to_json(contents), mimetype='application/json')
    response.headers['X-Total-Count'] = str(page.total)
    if links := _links(page, list_query):
        response.headers['Link'] = ', '.join(f'<{url}>; rel="{name}"' for name, url in links.items())
    return response


def _links(page: ResultPage, list_query: ListQuery) -> dict[str, str]:
    if page.previous is None and page.next is None and list_query.cursor is None:
        return {}
    links = {'first': _url()}
    if page.previous is not None:
        links['prev'] = _url(cursor=write_cursor(list_query.sort, page.previous))
    if page.next is not None:
        links['next'] = _url(
            **{'before': page.next.id} if list_query.sort is
            Sort.NEWEST else {'cursor': write_cursor(list_query.sort, page.next)}
        )
    return links


def _url(**place: object) -> str:
    kept = {name: value for name, value in request.args.items() if name not in ('before', 'cursor')}
    query = urlencode(kept | place)
    return f'{request.path}?{query}' if query else request.path
