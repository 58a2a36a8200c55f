"""Runs the steps of an import in order: files, pool, labels, metrics, bundle."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import torch

from db.atomic_directory import check_free
from db.layout import FORMAT
from db.store import BundleWriter
from precompute.inputs import text_pool
from precompute.method.intervals import MIN_IMAGES
from precompute.method.types import Pool
from precompute.runtime import progress, work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.run_row import package_versions, run_row
from precompute.stages.write_bundle import pool_rows
from precompute.tools.import_textspan import tables
from precompute.tools.import_textspan.options import ImportTask
from precompute.tools.import_textspan.sources import Source, gathered_pool, picks, read_all
from precompute.tools.import_textspan.tables import ImportedHeads

STAGE = "import"
"""Name of the stage in the table `run`."""

_PACKAGES = ("torch", "open_clip_torch", "duckdb", "numpy", "pandas")

_UNDERSTATES = (
    "caution: without --texts the pool is only the {texts} texts that the results name. A head's texts then "
    "stand against other heads' texts rather than against all that could have been chosen, so enrichment "
    "understates what heads are about. Give the pool that the texts were chosen from by --texts."
)


def run(task: ImportTask) -> Path:
    """Reads the files, labels and scores their heads, and writes the bundle; returns its path.

    Raises:
        StoreError: the bundle exists and may not be replaced, or cannot be written.
        ResultsError, PoolError: a file or the pool cannot be used.
    """
    check_free(task.bundle, replace=task.replace)
    started, clock = datetime.now(UTC), time.perf_counter()
    sources = read_all(task.models, task.files)
    texts_pool = text_pool.load(task.texts) if task.texts else _gathered(sources, task.license)
    results = [_describe(source, texts_pool) for source in sources]
    provenance = [_provenance(source, task) for source in sources]
    software = package_versions(_PACKAGES)
    input_id = _input_id(sources, texts_pool, task.license)
    with BundleWriter(task.bundle, input_id=input_id, replace=task.replace) as writer:
        _write(writer, sources, results, texts_pool)
        seconds = time.perf_counter() - clock
        for source, origin in zip(sources, provenance, strict=True):
            writer.write("run", run_row(source.model_key, STAGE, origin, software, started, seconds))
        facts = {"software": software, "method_versions": dict(METHOD_VERSIONS), "imported": provenance}
        writer.finish(facts)
    progress.say(f"done: {task.bundle}\nopen it with: headlight view {task.bundle}")
    return task.bundle


def _gathered(sources: list[Source], license: str) -> Pool:
    """Returns the texts in the results as a pool, and prints a caution."""
    pool = gathered_pool([source.lists for source in sources], license)
    progress.say(_UNDERSTATES.format(texts=len(pool.texts)))
    return pool


def _describe(source: Source, texts: Pool) -> ImportedHeads:
    head_picks = picks(source.lists, texts)
    heads = tables.describe(source.model_key, list(source.lists.texts), head_picks, texts)
    counts = {len(head_texts) for head_texts in source.lists.texts.values()}
    count = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
    supported = int(heads.supported.sum())
    progress.say(f"{source.name}: {len(head_picks)} heads of {count} texts; {supported} labels are supported")
    return heads


def _write(writer: BundleWriter, sources: list[Source], results: list[ImportedHeads], texts: Pool) -> None:
    """Writes all tables except `run`."""
    no_images = {"name": "none", "images": 0, "files": 0, "failed": 0}
    no_images |= {"min_images_for_intervals": MIN_IMAGES}
    writer.write("image_set", pd.DataFrame([no_images]))
    for table, rows in pool_rows(texts).items():
        writer.write(table, rows)
    for source, heads in zip(sources, results, strict=True):
        writer.write("model", pd.DataFrame([source.facts]))
        for table, rows in heads.tables.items():
            writer.write(table, rows)
    keys = [source.model_key for source in sources]
    for table, rows in tables.leaderboard_tables(list(zip(keys, results, strict=True))).items():
        writer.write(table, rows)


def _input_id(sources: list[Source], texts: Pool, license: str) -> str:
    """Returns the hash of all inputs of the bundle; independent of the machine."""
    return work_files.key_of(
        FORMAT,
        dict(METHOD_VERSIONS),
        STAGE,
        [[source.name, source.lists.sha256] for source in sources],
        [texts.texts, texts.properties, texts.tags.to(torch.uint8).tolist()],
        license,
    )


def _provenance(source: Source, task: ImportTask) -> dict[str, str | None]:
    """Returns the origin of the results of one model."""
    return {
        "model": source.name,
        "file": source.lists.file,
        "sha256": source.lists.sha256,
        "texts": task.texts.name if task.texts else None,
        "license": task.license,
    }
