"""What stands at and beside the place of a bundle."""

import json
import shutil
from pathlib import Path

import duckdb

from db.bundle_files import list_files, sha256
from db.connection import open_bundle, query
from db.layout import DATABASE, DIGEST, MANIFEST


def input_id(out: Path) -> str:
    """Content of the bundle at `out`."""
    bundle = open_bundle(out)
    found = query(bundle, "select input_id from bundle")["input_id"][0]
    assert found == bundle.manifest["input_id"]
    return found


def left_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


def changed_copy(bundle: Path, out: Path, sql: str) -> Path:
    """Returns a copy of a bundle with changed tables, which takes less time than writing another one."""
    edit(shutil.copytree(bundle, out), sql)
    return out


def edit(bundle: Path, sql: str) -> None:
    """Changes the tables of a copy, as no one should, and makes the manifest agree."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{bundle / DATABASE}' as headlight")
        connection.execute("use headlight")
        connection.execute(sql)
    seal(bundle)


def seal(bundle: Path, **facts: object) -> None:
    """Writes the manifest of a changed copy anew, with these facts instead of its own."""
    manifest = json.loads((bundle / MANIFEST).read_text()) | facts
    files = list_files(bundle).files
    entries = {name: {"sha256": sha256(bundle / name), "bytes": size} for name, size in files.items()}
    (bundle / MANIFEST).write_text(json.dumps(manifest | {"files": entries}))
    seal_text(bundle, (bundle / MANIFEST).read_text())


def seal_text(bundle: Path, text: str) -> None:
    """Writes the text as the manifest of a copy, with its digest."""
    (bundle / MANIFEST).write_text(text)
    (bundle / DIGEST).write_text(f"{sha256(bundle / MANIFEST)}  {MANIFEST}\n")
