"""The order of an import, top to bottom: files, pool, labels, metrics, bundle."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch

from db.aside import check_free
from db.layout import FORMAT
from db.store import BundleWriter
from precompute import import_sources, import_tables, pool, progress, work
from precompute.config import METHOD_VERSION
from precompute.import_sources import Source
from precompute.import_tables import Described
from precompute.pool_rows import pool_rows
from precompute.types import Pool

STAGE = "import"
"""Name of the stage in the table `run`."""

_SOFTWARE = ("torch", "open_clip_torch", "duckdb", "numpy", "pandas")

_UNDERSTATES = (
    "caution: without --texts the pool is only the {texts} texts that the results name. A head's texts then "
    "stand against other heads' texts rather than against all that could have been chosen, so enrichment "
    "understates what heads are about. Give the pool that the texts were chosen from by --texts."
)


def run(
    files: Sequence[Path],
    models: Sequence[str],
    bundle: Path,
    *,
    texts: Path | None,
    replace: bool,
    license: str,
) -> Path:
    """Read the files, label and score their heads, and write the bundle; the fields of an `ImportTask`."""
    check_free(bundle, replace=replace)
    started, clock = datetime.now(UTC), time.perf_counter()
    sources = import_sources.read_all(models, files)
    texts_pool = pool.load(texts) if texts else _gathered(sources, license)
    results = [_describe(source, texts_pool) for source in sources]
    provenance = [_provenance(source, texts, license) for source in sources]
    input_id = _input_id(sources, texts_pool, license)
    with BundleWriter(bundle, input_id=input_id, replace=replace) as writer:
        _write(writer, sources, results, texts_pool)
        seconds = time.perf_counter() - clock
        for source, origin in zip(sources, provenance, strict=True):
            writer.write("run", _run_row(source, origin, started, seconds))
        writer.finish({"software": _software(), "method_version": METHOD_VERSION, "imported": provenance})
    progress.say(f"done: {bundle}\nopen it with: python -m dashboard --bundle {bundle}")
    return bundle


def _gathered(sources: list[Source], license: str) -> Pool:
    """The texts that the results name, and a warning of what they are not."""
    gathered = import_sources.gathered_pool([source.lists for source in sources])
    progress.say(_UNDERSTATES.format(texts=len(gathered.texts)))
    return gathered._replace(license=license)


def _describe(source: Source, texts: Pool) -> Described:
    picks = import_sources.picks(source.lists, texts)
    described = import_tables.describe(source.model_key, list(source.lists.texts), picks, texts)
    counts = {len(own) for own in source.lists.texts.values()}
    many = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
    supported = int(described.supported.sum())
    progress.say(f"{source.name}: {len(picks)} heads of {many} texts; {supported} labels are supported")
    return described


def _write(writer: BundleWriter, sources: list[Source], results: list[Described], texts: Pool) -> None:
    """Every table but `run`."""
    no_images = {"name": "none", "images": 0, "files": 0, "failed": 0}
    writer.write("image_set", pd.DataFrame([no_images]))
    for table, rows in pool_rows(texts).items():
        writer.write(table, rows)
    for source, described in zip(sources, results, strict=True):
        writer.write("model", pd.DataFrame([source.facts]))
        for table, rows in described.tables.items():
            writer.write(table, rows)
    keys = [source.model_key for source in sources]
    for table, rows in import_tables.board(list(zip(keys, results, strict=True))).items():
        writer.write(table, rows)


def _input_id(sources: list[Source], texts: Pool, license: str) -> str:
    """Hash of everything the bundle depends on; equal on any machine."""
    return work.key_of(
        FORMAT,
        METHOD_VERSION,
        STAGE,
        [[source.name, source.lists.sha256] for source in sources],
        [texts.texts, texts.properties, texts.tags.to(torch.uint8).tolist()],
        license,
    )


def _provenance(source: Source, texts: Path | None, license: str) -> dict[str, str | None]:
    """What the results of one model came from."""
    return {
        "model": source.name,
        "file": source.lists.file,
        "sha256": source.lists.sha256,
        "texts": texts.name if texts else None,
        "license": license,
    }


def _run_row(
    source: Source, origin: dict[str, str | None], started: datetime, seconds: float
) -> pd.DataFrame:
    row = {
        "model_key": source.model_key,
        "stage": STAGE,
        "method_version": METHOD_VERSION,
        "options": json.dumps(origin, sort_keys=True, ensure_ascii=False),
        "software": json.dumps(_software(), sort_keys=True),
        "started_at": started.replace(tzinfo=None),
        "seconds": seconds,
    }
    return pd.DataFrame([row])


def _software() -> dict[str, str]:
    return {name: version(name) for name in _SOFTWARE}
