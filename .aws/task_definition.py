"""Task definitions, as files and as returned by ECS."""
from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A Docker label with a hash of the file's content; ECS adds defaults to the definitions that it returns.
FINGERPRINT = 'talelio.definition'


def filled(file: Path,
           placeholders: Mapping[str, str],
           *,
           secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the task definition with its `${…}` replaced. Raises KeyError for a missing value.

    `secrets` are further variables of its first container, by name: the ARNs of their values.
    """
    definition: dict[str, Any] = json.loads(
        string.Template(file.read_text(encoding='utf-8')).substitute(placeholders)
    )
    for name, arn in (secrets or {}).items():
        definition['containerDefinitions'][0]['secrets'].append({'name': name, 'valueFrom': arn})
    content = json.dumps(definition, sort_keys=True).encode()
    labels = definition['containerDefinitions'][0].setdefault('dockerLabels', {})
    labels[FINGERPRINT] = hashlib.sha256(content).hexdigest()
    return definition


def fingerprint(definition: Mapping[str, Any]) -> str | None:
    labels: Mapping[str, str] = definition['containerDefinitions'][0].get('dockerLabels', {})
    return labels.get(FINGERPRINT)


def image(definition: Mapping[str, Any]) -> str:
    name: str = definition['containerDefinitions'][0]['image']
    return name


def short(arn: str) -> str:
    """Return the family and revision, such as talelio-backend:41."""
    return arn.rpartition('/')[2]
