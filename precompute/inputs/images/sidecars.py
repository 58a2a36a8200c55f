"""What stands beside an image in a tar: its class (.cls), fields (.json) or a caption (.txt)."""

import json
import unicodedata

from precompute.inputs.images.attributes import split_values
from precompute.inputs.images.class_folders import CLASS

KINDS = (".cls", ".json", ".txt")
"""Extensions of sidecars."""

CAPTION = "caption"
"""Attribute of a .txt, and the field of a .json that says the same."""

LARGEST = 2**20
"""Bytes of a sidecar that is still read."""


class SidecarError(ValueError):
    """A sidecar cannot be used; its text is a short reason."""


def stated(kind: str, data: bytes) -> list[tuple[str, str]]:
    """Attributes and values in one sidecar. Raises SidecarError."""
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig")).strip()
    except UnicodeDecodeError as error:
        raise SidecarError("not UTF-8") from error
    if kind == ".txt":
        return [(CAPTION, text)] if text else []
    if kind == ".cls":
        return [(CLASS, value) for value in split_values(text)]
    return _fields(text)


def _fields(text: str) -> list[tuple[str, str]]:
    """The fields of a JSON object that hold one value each; lists and objects are passed over."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SidecarError("not JSON") from error
    if not isinstance(fields, dict):
        raise SidecarError("not a JSON object of fields")
    return [
        (name, value)
        for field, content in fields.items()
        if (name := unicodedata.normalize("NFC", field.strip()))
        for value in _values(name, content)
    ]


def _values(name: str, content: object) -> list[str]:
    """What one field says: text as a cell of a CSV file would, a number or truth value as JSON writes it."""
    if isinstance(content, str):
        text = unicodedata.normalize("NFC", content.strip())
        return ([text] if text else []) if name == CAPTION else split_values(text)
    return [json.dumps(content)] if isinstance(content, bool | int | float) else []
