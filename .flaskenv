# Read by the `flask` command: which application it works on.
FLASK_APP=talelio_backend.commands
