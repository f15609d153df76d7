"""Writes XML that any parser takes, whatever is in the texts."""
import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

# What XML 1.0 has no way to say (section 2.2), and the database can hold.
_UNSAYABLE = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def add(
    parent: Element,
    name: str,
    text: str | None = None,
    attributes: Mapping[str, str] | None = None
) -> Element:
    """Names are written as they are, so a prefix must be declared in an element above."""
    element = SubElement(parent, name, dict(attributes or {}))
    element.text = text
    return element


def document(root: Element) -> bytes:
    for element in root.iter():
        if element.text is not None:
            element.text = _UNSAYABLE.sub('', element.text)
        for name, value in element.items():
            element.set(name, _UNSAYABLE.sub('', value))
    written: bytes = tostring(root, encoding='utf-8', xml_declaration=True)
    return written
