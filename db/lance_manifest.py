"""Reads which features of Lance a table uses, before Lance opens it.

A table can name folders and servers outside of it as places of its files (`base_paths`), which Lance would
then read. The layout is that of Lance's table.proto: a length and a protocol buffer, at an offset that is in
the last 16 bytes of the file.
"""

import struct
from pathlib import Path

_READER_FEATURES, _BASE_PATHS, _BRANCH = 9, 18, 20
"""Numbers of fields that our writer leaves empty."""


def foreign_features(table: Path) -> list[str]:
    """Returns the manifests of a table that use what our writer does not, or cannot be read."""
    return [file.name for file in sorted((table / "_versions").glob("*.manifest")) if _is_foreign(file)]


def _is_foreign(file: Path) -> bool:
    data = file.read_bytes()
    try:
        (start,) = struct.unpack("<q", data[-16:-8])
        (length,) = struct.unpack("<I", data[start : start + 4])
        fields = _fields(data[start + 4 : start + 4 + length])
    except (struct.error, IndexError, ValueError):
        return True
    return bool(fields & {_READER_FEATURES, _BASE_PATHS, _BRANCH})


def _fields(message: bytes) -> set[int]:
    """Returns the numbers of the fields of a protocol buffer."""
    fields, place = set(), 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 0:
            _, place = _varint(message, place)
        elif kind == 2:
            length, place = _varint(message, place)
            place += length
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field has the unknown type {kind}")
        fields.add(key >> 3)
    return fields


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Returns the number at `place`, seven bits a byte, and the place after it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
        if shift > 63:  # a longer one would take time that grows with the square of its length
            raise ValueError("a number has more than 64 bits")
