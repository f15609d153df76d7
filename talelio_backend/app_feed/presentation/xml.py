"""Writes well-formed XML from any text."""
import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

# Characters that XML 1.0 cannot represent (section 2.2).
_INVALID_CHARACTERS = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def add(
    parent: Element,
    name: str,
    text: str | None = None,
    attributes: Mapping[str, str] | None = None
) -> Element:
    """Add a child. The prefix of a name must be declared on an ancestor."""
    element = SubElement(parent, name, dict(attributes or {}))
    element.text = text
    return element


def document(root: Element) -> bytes:
    for element in root.iter():
        if element.text is not None:
            element.text = _INVALID_CHARACTERS.sub('', element.text)
        for name, value in element.items():
            element.set(name, _INVALID_CHARACTERS.sub('', value))
    written: bytes = tostring(root, encoding='utf-8', xml_declaration=True)
    return written
