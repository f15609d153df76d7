"""Prints the OpenAPI document of this checkout."""
import json
import sys

from tests.support.documented_api import document

json.dump(document(), sys.stdout, ensure_ascii=False, indent=2)
