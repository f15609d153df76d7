"""Builds an example of a schema from the examples of its leaves."""
from typing import Any

# Nested arrays.
_DEEPEST = 2


class NoExample(Exception):
    """A leaf of a schema has no example."""


def example_of(schema: dict[str, Any], components: dict[str, Any], where: str = '') -> Any:
    """`components` are the schemas by name. Raises NoExample with the location."""
    match schema:
        case {'$ref': str() as reference}:
            name = reference.rpartition('/')[2]
            example = example_of(components[name], components, where or name)
        case {'examples': [example, *_]} | {'enum': [example, *_]}:
            pass
        case {'const': example} | {'default': example}:
            pass
        case {'anyOf': [first, *_]} | {'oneOf': [first, *_]} | {'allOf': [first, *_]}:
            example = example_of(first, components, where)
        case {'properties': dict() as parts}:
            example = {name: example_of(part, components, f'{where}.{name}') for name, part in parts.items()}
        case {'type': 'array', 'items': items}:
            # A schema may be recursive.
            is_deep = where.count('[]') == _DEEPEST
            example = [] if is_deep else [example_of(items, components, f'{where}[]')]
        case {'type': 'boolean'}:
            example = True
        case _:
            raise NoExample(where)
    return example
