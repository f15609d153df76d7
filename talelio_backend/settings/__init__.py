"""Settings from the environment."""
from talelio_backend.settings.folders import POSTGRES_FOLDER, PROJECT_FOLDER, VAR_FOLDER
from talelio_backend.settings.settings import ConfigurationError, Env, Settings

__all__ = ['ConfigurationError', 'Env', 'POSTGRES_FOLDER', 'PROJECT_FOLDER', 'Settings', 'VAR_FOLDER']
