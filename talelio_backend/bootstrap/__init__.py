"""The composition root: creates the adapters and injects them."""
from talelio_backend.bootstrap.backend import Backend, build
from talelio_backend.bootstrap.orm_mapping import ReadSession, UnitOfWork, map_entities

__all__ = ['Backend', 'ReadSession', 'UnitOfWork', 'build', 'map_entities']
