"""manifest.json: identity, origin and software of a bundle, and the checksum of every file."""

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from db import __version__
from db.layout import FORMAT, MANIFEST, sql_of

LIBRARIES = ("duckdb", "lancedb", "pyarrow", "numpy", "pandas")


def manifest_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Returns the facts from the tables: identity, models, largest sum_error, licenses."""
    models = connection.execute(sql_of("models")).df()
    names = ["model_key", "model", "weights", "weights_sha256", "is_control", "has_vectors"]
    rows = models[names].astype(object)
    errors = models["max_sum_error"].dropna()  # null for imported results
    return {
        "format": FORMAT,
        "input_id": connection.execute("select input_id from bundle").fetchall()[0][0],
        "models": rows.where(rows.notna(), None).to_dict("records"),
        "max_sum_error": float(errors.max()) if len(errors) else None,
        "licenses": {
            "images": connection.execute("select license from image_set").fetchall()[0][0],
            "texts": connection.execute("select license from text_pool").fetchall()[0][0],
        },
    }


def write_manifest(directory: Path, facts: dict[str, Any]) -> None:
    """Writes the manifest, after all other files in `directory`."""
    software = {"headlight": __version__, "python": platform.python_version()}
    software |= {name: version(name) for name in LIBRARIES}
    manifest = {
        **facts,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": {**software, **facts.get("software", {})},
        "files": {name: _entry(directory / name) for name in files(directory)},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")


def damage(directory: Path, manifest: dict[str, Any]) -> list[str]:
    """Returns differences between the files in `directory` and the manifest, one sentence each."""
    listed, present = manifest.get("files", {}), files(directory)
    differences = [f"{name} is missing" for name in sorted(set(listed) - set(present))]
    differences += [f"{name} is not in the manifest" for name in sorted(set(present) - set(listed))]
    for name in sorted(set(listed) & set(present)):
        size = (directory / name).stat().st_size
        if size != listed[name]["bytes"]:
            differences.append(f"{name} has {size} bytes, but had {listed[name]['bytes']}")
        elif sha256(directory / name) != listed[name]["sha256"]:
            differences.append(f"{name} has changed (its checksum differs)")
    return differences


def files(directory: Path) -> list[str]:
    """Returns the sorted relative paths of all files except the manifest, with forward slashes."""
    names = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return sorted(name for name in names if name != MANIFEST)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size}
