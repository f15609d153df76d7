"""An application that does nothing: what the server and the framework alone cost."""
import os
from pathlib import Path

from flask import Flask, Response

app = Flask('constant', static_folder=None)
_content = Path(os.environ['CONSTANT_ANSWER']).read_bytes()


@app.get('/<path:path>')
def answer(path: str) -> Response:
    del path
    return Response(_content, content_type='application/json')
