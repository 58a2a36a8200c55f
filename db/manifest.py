"""manifest.json: identity, origin and software of a bundle, and the checksum of every file.

A digest file beside it holds the checksum of the manifest itself. The shape of a manifest is checked before
it is used: it may come from a stranger.
"""

import json
import platform
import re
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

import duckdb

from db import __version__
from db.bundle_files import list_files, sha256
from db.errors import BundleDamaged, BundleFormat, BundleMissing
from db.layout import DATABASE, DIGEST, FORMAT, MANIFEST, VECTORS, sql_of
from db.locked_database import records_of

MAX_NAMED = 6
"""Maximum number of models in a command of a message; the default study has as many."""

LIBRARIES = ("duckdb", "lancedb", "pyarrow", "numpy", "pandas")

MAX_BYTES = 2**24
"""Maximum size of a manifest in bytes; one with a thousand models has 6 MB. `[]` in 64 MB would take 2 GB."""

_FILE_NAME = re.compile(
    rf"{re.escape(DATABASE)}|{re.escape(VECTORS)}(/(?!\.\.?(/|$))[\w.-]+){{1,8}}", re.ASCII
)
_MODEL_KEY = re.compile(r"(?!\.)[\w.-]{1,200}", re.ASCII)
_MODEL = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_VERSION = re.compile(r"[0-9][0-9a-z.+]{0,30}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def manifest_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Returns the facts from the tables: identity, models, largest sum_error, licenses."""
    models = records_of(connection.execute(sql_of("model_facts")))
    errors = [model.pop("max_sum_error") for model in models]  # none for imported results
    return {
        "format": FORMAT,
        "input_id": _only(connection, "input_id", "bundle"),
        "models": models,
        "max_sum_error": max(
            (error for error in errors if error is not None and not isnan(error)), default=None
        ),
        "licenses": {
            "images": _only(connection, "license", "image_set"),
            "texts": _only(connection, "license", "text_pool"),
        },
    }


def _only(connection: duckdb.DuckDBPyConnection, column: str, table: str) -> Any:
    """Returns a value of a table of one row. Raises BundleDamaged if it has none or several."""
    rows = connection.execute(f"select {column} from {table}").fetchmany(2)
    if len(rows) != 1:
        raise BundleDamaged(
            f"the table {table} has {'several rows' if rows else 'no row'} instead of one. "
            "Copy the bundle or build it again."
        )
    return rows[0][0]


def fact_differences(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> list[str]:
    """Returns the facts in which the manifest differs from the tables, one sentence each."""
    differences = []
    for name, value in manifest_facts(connection).items():
        if name == "models":
            rows = ({row["model_key"]: row for row in models} for models in (value, manifest[name]))
            differences += _model_differences(*rows)
        elif manifest[name] != value:
            differences.append(f"{MANIFEST} says {name} {manifest[name]}, but the tables say {value}")
    return differences


def write_manifest(directory: Path, facts: dict[str, Any]) -> None:
    """Writes the manifest and its digest, after all other files in `directory`."""
    software = {"headlight": __version__, "python": platform.python_version()}
    software |= {name: version(name) for name in LIBRARIES}
    files = list_files(directory).files
    manifest = {
        **facts,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": {**software, **facts.get("software", {})},
        "files": {name: {"sha256": sha256(directory / name), "bytes": size} for name, size in files.items()},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")
    (directory / DIGEST).write_text(f"{sha256(directory / MANIFEST)}  {MANIFEST}\n", encoding="utf-8")


def read_manifest(directory: Path, given: Path | None = None) -> dict[str, Any]:
    """Returns the checked manifest of the bundle in `directory`; messages name the path that was `given`.

    Raises:
        BundleMissing: there is no manifest.
        BundleFormat: the bundle has another format.
        BundleDamaged: the manifest cannot be read, differs from its digest, or lacks a fact.
    """
    given = given or directory
    file = directory / MANIFEST
    if not file.is_file():
        raise BundleMissing(_no_bundle(given))
    try:
        manifest = _parse(file)
    except (OSError, ValueError, RecursionError) as error:
        raise BundleDamaged(
            f"{MANIFEST} of {given} cannot be read ({error}). Copy or build it again."
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if type(found) is not int or found != FORMAT:
        raise BundleFormat(
            f"the bundle at {given} has format {str(found)[:40]}, this Headlight reads format {FORMAT}. "
            f"Use {_maker(manifest)}, which made it, or build it again, which uses work files that are "
            "still valid: "
            f"{_build_command(manifest, given)}"
        )
    if problem := _digest_problem(directory) or _shape_problem(manifest):
        raise BundleDamaged(f"{MANIFEST} of {given} is damaged: {problem}. Copy or build it again.")
    return manifest


def _maker(manifest: Any) -> str:
    """Returns the version of Headlight that wrote a manifest of any format, as text."""
    software = manifest.get("software") if isinstance(manifest, dict) else None
    version = software.get("headlight") if isinstance(software, dict) else None
    return f"Headlight {version}" if _matches(_VERSION, version) else "the Headlight"


def _build_command(manifest: Any, given: Path) -> str:
    """Returns the command that builds the bundle of a manifest of any format anew."""
    models = manifest.get("models") if isinstance(manifest, dict) else None
    rows = [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []
    names = [model.get("model") for model in rows if not model.get("is_control")]
    names = [name for name in names if _matches(_MODEL, name)][:MAX_NAMED] or ["ARCHITECTURE/WEIGHTS"]
    out = shlex.quote(str(given.with_suffix("") if given.suffix == ".zip" else given))
    chosen = "".join(f" --model {name}" for name in names)
    return f"headlight run{chosen} --images IMAGES --texts TEXTS --bundle {out} --replace"


def _parse(file: Path) -> Any:
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"it has {file.stat().st_size} bytes, more than {MAX_BYTES}")
    text = file.read_text(encoding="utf-8")
    manifest = json.loads(text, parse_constant=_refuse_constant)
    json.dumps(manifest, ensure_ascii=False).encode()  # a lone surrogate cannot be printed
    return manifest


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _digest_problem(directory: Path) -> str | None:
    if not (directory / DIGEST).is_file():
        return f"{DIGEST} is missing beside it"
    with (directory / DIGEST).open("rb") as handle:
        stored = handle.read(64).decode("ascii", "replace")
    return None if stored == sha256(directory / MANIFEST) else f"its checksum is not that in {DIGEST}"


def _shape_problem(manifest: dict[str, Any]) -> str | None:
    """Returns the first fact that is missing or has another type, as a clause; None if there is none."""
    for name, (check, meaning) in _SHAPE.items():
        if name not in manifest:
            return f'it has no "{name}"'
        if not check(manifest[name]):
            return f'"{name}" is not {meaning}'
    keys = [model["model_key"] for model in manifest["models"]]
    return "it names a model twice" if len(set(keys)) < len(keys) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_number_or_none(value: object) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) < 1e300)  # type: ignore[arg-type]


def _is_model(value: object) -> bool:
    return (
        isinstance(value, dict)
        and _matches(_MODEL_KEY, value.get("model_key"))
        and all(_is_text(value.get(name)) for name in ("model", "weights"))
        and "weights_sha256" in value
        and _is_text_or_none(value["weights_sha256"])
        and all(type(value.get(name)) is bool for name in ("is_control", "has_vectors"))
    )


def _is_models(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_model, value))


def _is_files(value: object) -> bool:
    return (
        isinstance(value, dict)
        and DATABASE in value
        and all(
            _matches(_FILE_NAME, name)
            and isinstance(entry, dict)
            and _matches(_SHA256, entry.get("sha256"))
            and _is_count(entry.get("bytes"))
            for name, entry in value.items()
        )
    )


def _is_licenses(value: object) -> bool:
    return (
        isinstance(value, dict)
        and {"images", "texts"} == set(value)
        and all(map(_is_text_or_none, value.values()))
    )


def _is_texts_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_SHAPE: dict[str, tuple[Callable[[object], bool], str]] = {
    "input_id": (_is_text, "a text"),
    "created_at": (_is_text, "a text"),
    "models": (_is_models, "a list of models with their facts"),
    "max_sum_error": (_is_number_or_none, "a number or null"),
    "licenses": (_is_licenses, "the licenses of images and texts"),
    "software": (_is_texts_by_name, "versions by name"),
    "files": (_is_files, f"{DATABASE} and files below {VECTORS}, each with sha256 and bytes"),
}


def _model_differences(tables: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    differences = [f"{MANIFEST} lacks the model {key}" for key in sorted(set(tables) - set(manifest))]
    differences += [
        f"{MANIFEST} names the model {key}, which model lacks" for key in sorted(set(manifest) - set(tables))
    ]
    return differences + [
        f"{MANIFEST} says {name} {manifest[key].get(name)} of {key}, but the tables say {value}"
        for key in sorted(set(tables) & set(manifest))
        for name, value in tables[key].items()
        if manifest[key].get(name) != value
    ]


def _no_bundle(given: Path) -> str:
    left = given.parent / f".{given.name}.old"
    if left.is_dir():
        return (
            f"no bundle at {given}: replacing it was interrupted. The next run that writes it puts things "
            f"right; or rename {left} to {given.name}."
        )
    return f'no bundle at {given}. Make one with "headlight demo" or "headlight run", or give another path.'
