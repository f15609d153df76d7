from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
VAR_FOLDER = PROJECT_FOLDER / 'var'
# For mail without a mail server.
MAIL_FOLDER = VAR_FOLDER / 'mail'
POSTGRES_FOLDER = VAR_FOLDER / 'postgres'
