"""Sidecars of an image in a tar: its class (.cls), fields (.json) or caption (.txt)."""

import json

from db.layout import normalize_text
from precompute.inputs.images.attributes import split_values
from precompute.inputs.images.class_folders import CLASS

KINDS = (".cls", ".json", ".txt")
"""Extensions of sidecars."""

CAPTION = "caption"
"""Attribute of a .txt sidecar, and the equivalent field of a .json sidecar."""

MAX_SIDECAR_BYTES = 2**20
"""Maximum size of a sidecar; larger ones are not read."""


class SidecarError(ValueError):
    """A sidecar cannot be used; its text is a short reason."""


def parse_sidecar(kind: str, data: bytes) -> list[tuple[str, str]]:
    """Returns attributes and values of one sidecar of extension `kind`. Raises SidecarError."""
    try:
        text = normalize_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SidecarError("not UTF-8") from error
    if kind == ".txt":
        return [(CAPTION, text)] if text else []
    if kind == ".cls":
        return [(CLASS, value) for value in split_values(text)]
    return _fields(text)


def _fields(text: str) -> list[tuple[str, str]]:
    """Returns the fields of a JSON object with a single value; ignores lists and objects."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SidecarError("not JSON") from error
    if not isinstance(fields, dict):
        raise SidecarError("not a JSON object of fields")
    return [
        (name, value)
        for field, content in fields.items()
        if (name := normalize_text(field))
        for value in _values(name, content)
    ]


def _values(name: str, content: object) -> list[str]:
    """Returns the values of one field: text is split as a CSV cell, numbers and booleans become JSON."""
    if isinstance(content, str):
        text = normalize_text(content)
        return ([text] if text else []) if name == CAPTION else split_values(text)
    return [json.dumps(content)] if isinstance(content, bool | int | float) else []
