"""What stands at and beside the place of a bundle."""

from pathlib import Path

import duckdb

from db.connection import open_bundle, query
from db.layout import DATABASE


def input_id(out: Path) -> str:
    """Content of the bundle at `out`."""
    bundle = open_bundle(out)
    found = query(bundle, "select input_id from bundle")["input_id"][0]
    assert found == bundle.manifest["input_id"]
    return found


def left_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


def edit(bundle: Path, sql: str) -> None:
    """Change the tables of a copy, as no one should."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{bundle / DATABASE}' as headlight")
        connection.execute("use headlight")
        connection.execute(sql)
