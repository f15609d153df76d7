from typing import Any, ClassVar

from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """`<id:…>` in a path: a potential row id. Anything else is a 404."""

    # As many digits as PostgreSQL's integer has.
    regex = '[1-9][0-9]{0,9}'
    # In the OpenAPI document.
    schema: ClassVar[dict[str, Any]] = {
        'type': 'integer',
        'minimum': 1,
        'maximum': 2**31 - 1,
        'examples': [7]
    }

    def to_python(self, value: str) -> int:
        return int(value)
