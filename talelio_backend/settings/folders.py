from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
VAR_FOLDER = PROJECT_FOLDER / 'var'
# Mail that no server is set for.
MAIL_FOLDER = VAR_FOLDER / 'mail'
# Data of the embedded server.
POSTGRES_FOLDER = VAR_FOLDER / 'postgres'
