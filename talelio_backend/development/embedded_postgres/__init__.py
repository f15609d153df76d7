"""A PostgreSQL server for development and tests without DATABASE_URL. Not for production."""
from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError
from talelio_backend.development.embedded_postgres.server import EmbeddedPostgres

__all__ = ['EmbeddedPostgres', 'EmbeddedPostgresError']
