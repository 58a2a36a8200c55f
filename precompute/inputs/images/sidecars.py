"""Sidecars of an image in a tar: its class (.cls), fields (.json) or caption (.txt)."""

import json
from math import isfinite

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
    """Returns the fields of a JSON object with a single value; ignores lists, objects, NaN and infinities."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SidecarError("not JSON") from error
    if not isinstance(fields, dict):
        raise SidecarError("not a JSON object of fields")
    return [
        (name, value)
        for field, content in fields.items()
        if (name := _storable(field))
        for value in _values(name, content)
    ]


def _values(name: str, content: object) -> list[str]:
    """Returns the values of one field: text is split as a CSV cell, numbers and booleans become JSON."""
    if isinstance(content, str):
        text = _storable(content)
        return ([text] if text else []) if name == CAPTION else split_values(text)
    return [json.dumps(content)] if isinstance(content, bool | int | float) and isfinite(content) else []


def _storable(text: str) -> str:
    """Returns text with lone surrogates, which JSON can hold and no file can, as escapes."""
    return normalize_text(text.encode("utf-8", "backslashreplace").decode())
