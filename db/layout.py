"""Names of the files of a bundle, in one place. Knows nothing of what is inside them."""

import hashlib
import re
from pathlib import Path

FORMAT = 5
"""Version of the bundle format. Raise it when a table, a column or a vector changes its meaning."""

MANIFEST = "manifest.json"
DATABASE = "headlight.duckdb"
VECTORS = "vectors.lance"
STORAGE_VERSION = "v1.2.0"
"""Files of this version, with primary keys and comments, still open in DuckDB 1.2."""

KINDS = ("images", "texts", "heads", "tokens", "classes")
"""The Lance tables of one model; classes only where the bundle has class texts."""

SCHEMA = Path(__file__).parent / "schema.sql"
SQL = Path(__file__).parent / "sql"


def head_name(layer: int, head: int) -> str:
    """Name of a head to people: L11.H3."""
    return f"L{layer}.H{head}"


def parse_head_name(name: str) -> tuple[int, int] | None:
    """Layer and head of a name like L11.H3; None for any other."""
    found = re.fullmatch(r"L([0-9]{1,4})\.H([0-9]{1,4})", name)
    return (int(found[1]), int(found[2])) if found else None


def head_column(layer: int, head: int) -> str:
    """Name of a head as a Lance column, where no dot may stand: L11_H3."""
    return f"L{layer}_H{head}"


def lance_table(kind: str, model_key: str) -> str:
    """Name of a Lance table, e.g. images__ViT-B-32-laion2b-1a2b3c4d."""
    return f"{kind}__{model_key}"


def image_id(data: bytes) -> str:
    """Name of an image everywhere: the first 16 hex digits of the SHA-256 of its file."""
    return hashlib.sha256(data).hexdigest()[:16]


def sql_of(name: str) -> str:
    """The text of the query `name`, db/sql/<name>.sql; a page shows it beside its numbers."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").strip()
