"""The PostgreSQL that development and tests use where DATABASE_URL names none. Not for production."""
from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError
from talelio_backend.development.embedded_postgres.server import EmbeddedPostgres

__all__ = ['EmbeddedPostgres', 'EmbeddedPostgresError']
