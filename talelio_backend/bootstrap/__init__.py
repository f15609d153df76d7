"""The composition root: every adapter is made here and handed to what needs it."""
from talelio_backend.bootstrap.backend import Backend, build
from talelio_backend.bootstrap.entities import UnitOfWork, map_entities

__all__ = ['Backend', 'UnitOfWork', 'build', 'map_entities']
