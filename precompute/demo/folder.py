"""Writes a folder of scenes: pictures, `attributes.csv`, `captions.csv`, and optionally masks.

Masks are in a hidden folder, `.masks`, so that they are not listed as images; `masks.csv` assigns them to the
objects.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from precompute.demo.hashing import Stream
from precompute.demo.models.cache import in_chunks
from precompute.demo.png import png
from precompute.demo.scenes import Content, draw
from precompute.demo.words import caption, object_caption

COLUMNS = ("path", "color", "shape", "pattern", "background", "count", "position", "kinds")
MASK_COLUMNS = ("path", "mask", "object", "caption")
MASKS = ".masks"
CHUNK = 25

Rows = list[dict[str, str]]
MaskRows = list[tuple[str, ...]]


def row(name: str, content: Content, index: int, seed: int) -> dict[str, str]:
    """Returns attributes and caption of a scene; if its two kinds differ, both values separated by |."""
    values = {"path": name, "background": content.background, "kinds": str(len(content.kinds))}
    for property_ in ("color", "shape", "pattern", "count", "position"):
        values[property_] = "|".join(dict.fromkeys(str(getattr(kind, property_)) for kind in content.kinds))
    return values | {"caption": caption(content, Stream(seed, index))}


def mask_rows(name: str, content: Content) -> MaskRows:
    """Returns values of MASK_COLUMNS; empty for one kind of object, since maps are scored on two."""
    if len(content.kinds) < 2:
        return []
    return [
        (f"{name}.png", f"{MASKS}/{name}_{k}.png", f"{kind.color} {kind.shape}", object_caption(kind))
        for k, kind in enumerate(content.kinds)
    ]


def _write(
    indices: range, *, folder: Path, seed: int, masks: bool, kinds: int | None
) -> tuple[Rows, MaskRows]:
    rows: Rows = []
    masked_rows: MaskRows = []
    for index in indices:
        scene = draw(index, seed, kinds)
        name = f"scene_{index:05d}"
        (folder / f"{name}.png").write_bytes(png(scene.image))
        for k, mask in enumerate(scene.mask if masks else ()):
            (folder / MASKS / f"{name}_{k}.png").write_bytes(png(mask))
        rows.append(row(f"{name}.png", scene.content, index, seed))
        masked_rows += mask_rows(name, scene.content)
    return rows, masked_rows


def write_scenes(
    folder: Path, *, count: int, seed: int, masks: bool = False, kinds: int | None = None
) -> None:
    """Writes the first `count` scenes of a seed, on all cores, and prints progress.

    `kinds` is the number of kinds of object in every scene, 1 or 2; None for two kinds in half of the scenes.
    """
    (folder / MASKS if masks else folder).mkdir(parents=True, exist_ok=True)
    write = partial(_write, folder=folder, seed=seed, masks=masks, kinds=kinds)
    rows: Rows = []
    masked_rows: MaskRows = []
    for chunk_rows, chunk_masks in in_chunks(write, count, CHUNK):
        rows += chunk_rows
        masked_rows += chunk_masks
    _write_table(folder / "captions.csv", ("path", "caption"), rows)
    if masks:
        _write_table(folder / "masks.csv", MASK_COLUMNS, masked_rows)
    # Written last: it marks a complete folder.
    _write_table(folder / "attributes.csv", COLUMNS, rows)


def _write_table(path: Path, columns: tuple[str, ...], rows: Rows | MaskRows) -> None:
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False, lineterminator="\n")
