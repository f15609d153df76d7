"""Several API servers, a pooler and a primary with its standby, while parts of them are lost."""
