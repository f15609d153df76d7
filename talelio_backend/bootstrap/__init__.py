"""The composition root: every adapter is made here and handed to what needs it."""
from talelio_backend.bootstrap.backend import Backend, build
from talelio_backend.bootstrap.entities import Reading, UnitOfWork, map_entities

__all__ = ['Backend', 'Reading', 'UnitOfWork', 'build', 'map_entities']
