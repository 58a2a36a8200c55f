"""manifest.json: what a bundle is, what made it, and the checksum of every file."""

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
    """What the tables themselves say: identity, models, largest sum_error, licenses."""
    models = connection.execute(sql_of("models")).df()
    names = ["model_key", "model", "weights", "weights_sha256", "is_control", "has_vectors"]
    known = models[names].astype(object)
    errors = models["max_sum_error"].dropna()  # null where results were imported
    return {
        "format": FORMAT,
        "input_id": connection.execute("select input_id from bundle").fetchall()[0][0],
        "models": known.where(known.notna(), None).to_dict("records"),
        "max_sum_error": float(errors.max()) if len(errors) else None,
        "licenses": {
            "images": connection.execute("select license from image_set").fetchall()[0][0],
            "texts": connection.execute("select license from text_pool").fetchall()[0][0],
        },
    }


def write_manifest(directory: Path, facts: dict[str, Any]) -> None:
    """Write the manifest of the finished files in `directory`, as the last of them."""
    own = {"headlight": __version__, "python": platform.python_version()}
    own |= {name: version(name) for name in LIBRARIES}
    manifest = {
        **facts,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": {**own, **facts.get("software", {})},
        "files": {name: _entry(directory / name) for name in files(directory)},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")


def damage(directory: Path, manifest: dict[str, Any]) -> list[str]:
    """What differs between the files in `directory` and the manifest, one sentence each."""
    listed, present = manifest.get("files", {}), files(directory)
    found = [f"{name} is missing" for name in sorted(set(listed) - set(present))]
    found += [f"{name} is not in the manifest" for name in sorted(set(present) - set(listed))]
    for name in sorted(set(listed) & set(present)):
        size = (directory / name).stat().st_size
        if size != listed[name]["bytes"]:
            found.append(f"{name} has {size} bytes, but had {listed[name]['bytes']}")
        elif sha256(directory / name) != listed[name]["sha256"]:
            found.append(f"{name} has changed (its checksum differs)")
    return found


def files(directory: Path) -> list[str]:
    """Every file but the manifest, relative, with forward slashes, sorted."""
    found = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return sorted(name for name in found if name != MANIFEST)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size}
