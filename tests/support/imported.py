"""Imported results small enough to check by hand: two models, a pool of 24 texts of four properties."""

from pathlib import Path

import pandas as pd

from db.store import BundleWriter
from precompute.tools.import_textspan.options import ImportTask
from precompute.tools.import_textspan.run import run
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, MODEL_KEY

UNKNOWN = [
    "rank",
    "images",
    "gallery_images",
    "max_sum_error",
    "precision",
    "grid_rows",
    "layers",
    "d_model",
    "weights_sha256",
]
"""Facts that imported results may lack."""

PROPERTIES = ("animal", "color", "shape", "weather")
POOL = {property: [f"{property} number {i}" for i in range(6)] for property in PROPERTIES}
"""Six texts of each property."""

KNOWN = "ViT-B-32/openai"
OWN = "my-tower/first"
"""One model that open_clip knows, and one that it does not."""

HEADS = {
    (10, 0): POOL["color"][:5],
    (10, 1): POOL["shape"][:3] + POOL["animal"][:2],
    (11, 0): POOL["weather"][:5],
    (11, 1): POOL["color"][1:6],
}
"""Texts of the heads of KNOWN, all of one property except in L10.H1, so CCS is 5, 3, 5, 5."""

OWN_HEADS = {(3, 0): POOL["animal"][:5], (3, 2): POOL["animal"][3:6]}
"""Two heads of OWN; the second has three texts only."""


def write_blocks(path: Path, heads: dict[tuple[int, int], list[str]]) -> Path:
    """Writes results in the format of the reference implementation."""
    rule = "-" * 18
    blocks = [[rule, f"Layer {layer}, Head {head}", rule, *texts] for (layer, head), texts in heads.items()]
    summary = [rule, "Current accuracy: 50.0", "Number of texts: 9"]
    path.write_text("\n".join(line for block in [*blocks, summary] for line in block), encoding="utf-8")
    return path


def write_table(path: Path, heads: dict[tuple[int, int], list[str]]) -> Path:
    """Writes results as CSV, with ranks from 1."""
    rows = [
        f"{layer},{head},{rank},{text}"
        for (layer, head), texts in heads.items()
        for rank, text in enumerate(texts, start=1)
    ]
    path.write_text("\n".join(["layer,head,rank,text", *rows]) + "\n", encoding="utf-8")
    return path


def write_pool(path: Path) -> Path:
    """Writes the pool, each text with its property."""
    lines = [f"{text}\t{property}" for property, texts in POOL.items() for text in texts]
    path.write_text("# language: en\n# license: CC0-1.0\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def task(folder: Path, bundle: Path, **changes) -> ImportTask:
    """Returns the task that imports both models into one bundle."""
    folder.mkdir(exist_ok=True)
    files = (write_blocks(folder / "known.txt", HEADS), write_table(folder / "own.csv", OWN_HEADS))
    options = {
        "files": files,
        "models": (KNOWN, OWN),
        "bundle": bundle,
        "texts": write_pool(folder / "pool.tsv"),
    }
    return ImportTask(**(options | changes))


def write_imported(folder: Path, bundle: Path) -> Path:
    """Writes the bundle with both models."""
    return run(task(folder, bundle))


def mixed_tables() -> dict[str, pd.DataFrame]:
    """Returns rows of the tiny bundle, with its second model as an imported model instead of a control."""
    tables = bundles.tables()
    second = tables["model"]["model_key"] == CONTROL_KEY
    tables["model"] = tables["model"].assign(is_control=False, control_of=None, has_vectors=~second)
    tables["model"] = tables["model"].astype(dict.fromkeys(UNKNOWN, object))
    tables["model"].loc[second, UNKNOWN] = None
    tables["head_match"] = tables["head_match"].head(0)
    tables["head"] = without(tables["head"], ["rank", "importance"])
    tables["head_text"] = without(tables["head_text"], ["variance_share", "cumulative_share", "margin"])
    return tables


def without(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Returns the rows with null in some columns of the second model."""
    rows = rows.astype(dict.fromkeys(columns, "Float64"))
    rows.loc[rows["model_key"] == CONTROL_KEY, columns] = pd.NA
    return rows


def write_mixed(out: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """Writes a bundle with vectors of the first model only."""
    with BundleWriter(out, input_id="mixed") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        bundles.write_vectors(writer, MODEL_KEY)
        return writer.finish()
