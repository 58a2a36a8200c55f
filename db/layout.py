"""Names of the files, tables, heads and images of a bundle. Knows nothing of their contents."""

import hashlib
import re
import unicodedata
from pathlib import Path

FORMAT = 10
"""Version of the bundle format. Raise it when the meaning of a table, column or vector changes."""

MANIFEST = "manifest.json"
DIGEST = "manifest.json.sha256"
"""Checksum of the manifest, in the format of sha256sum."""

SIGNATURE = "manifest.json.sig"
"""Signature of the manifest by an SSH key; few bundles have one."""

DATABASE = "headlight.duckdb"
VECTORS = "vectors.lance"
CARD = "README.md"
PARQUET_TABLES = "tables"
"""What a zip also holds, for readers without Headlight: a data set card, and all tables as Parquet."""

STORAGE_VERSION = "v1.2.0"
"""Storage version of DuckDB; DuckDB 1.2 opens its files, with primary keys and comments."""

KINDS = ("images", "texts", "heads", "tokens", "classes")
"""Lance tables of one model; `classes` exists only in a bundle with class texts."""

SCHEMA = Path(__file__).parent / "schema.sql"
SQL = Path(__file__).parent / "sql"


def head_name(layer: int, head: int) -> str:
    """Returns the displayed name of a head: L11.H3."""
    return f"L{layer}.H{head}"


def parse_head_name(name: str) -> tuple[int, int] | None:
    """Returns layer and head of a name like L11.H3; None for any other name."""
    match = re.fullmatch(r"L([0-9]{1,4})\.H([0-9]{1,4})", name)
    return (int(match[1]), int(match[2])) if match else None


def head_column(layer: int, head: int) -> str:
    """Returns the name of a head's Lance column, which may not contain a dot: L11_H3."""
    return f"L{layer}_H{head}"


def lance_table(kind: str, model_key: str) -> str:
    """Returns the name of a Lance table, e.g. images__ViT-B-32-laion2b-1a2b3c4d."""
    return f"{kind}__{model_key}"


def image_id(data: bytes) -> str:
    """Returns the id of an image: the first 16 hex digits of the SHA-256 of its file."""
    return hashlib.sha256(data).hexdigest()[:16]


def normalize_text(text: str) -> str:
    """Returns a text in NFC without spaces around it, the form by which texts are compared and hashed."""
    return unicodedata.normalize("NFC", text).strip()


def sql_of(name: str) -> str:
    """Returns the text of the query `name` in db/sql/<name>.sql; pages show it beside its numbers."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").strip()
