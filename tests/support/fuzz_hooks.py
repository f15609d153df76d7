"""What makes schemathesis come further than random values do: pictures, and people who exist."""
import os
from base64 import b64decode
from typing import Any

import schemathesis

# One pixel.
_PNG = b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC'
)
_UPLOADS = ('/v1/assets/images', '/v1/users/me/avatar')


@schemathesis.hook('map_body')
def send_a_picture(context: schemathesis.HookContext, body: Any) -> Any:
    """In place of every second text of a form; the rest stays random."""
    is_upload = context.operation is not None and context.operation.path in _UPLOADS
    if not is_upload or not isinstance(body, dict):
        return body
    return {name: _PNG if number % 2 == 0 else value for number, (name, value) in enumerate(body.items())}


@schemathesis.hook('map_path_parameters')
def name_somebody(_context: schemathesis.HookContext, parameters: Any) -> Any:
    """Somebody who exists, in place of every second name."""
    if isinstance(parameters, dict) and isinstance(parameters.get('username'), str):
        if len(parameters['username']) % 2:
            return parameters | {'username': os.environ['FUZZ_USERNAME']}
    return parameters
