"""The composition root: every adapter is made here and handed to what needs it."""
from talelio_backend.bootstrap.backend import Backend, build
from talelio_backend.bootstrap.orm_mapping import ReadSession, UnitOfWork, map_entities

__all__ = ['Backend', 'ReadSession', 'UnitOfWork', 'build', 'map_entities']
