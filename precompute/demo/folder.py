"""Writes a folder of scenes: pictures, `attributes.csv`, `captions.csv`, and optionally masks.

Masks are in a hidden folder, `.masks`, so that they are not listed as images; `masks.csv` assigns them to the
objects.
"""

import csv
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from precompute.demo.hashing import Stream
from precompute.demo.png import png
from precompute.demo.scenes import Content, draw
from precompute.demo.words import caption, object_caption

COLUMNS = ("path", "color", "shape", "pattern", "background", "count", "position", "kinds")
MASK_COLUMNS = ("path", "mask", "object", "caption")
MASKS = ".masks"
CHUNK = 25

Rows = list[dict[str, str]]


def row(name: str, content: Content, index: int, seed: int) -> dict[str, str]:
    """Returns attributes and caption of a scene; if its two kinds differ, both values separated by |."""
    values = {"path": name, "background": content.background, "kinds": str(len(content.kinds))}
    for property_ in ("color", "shape", "pattern", "count", "position"):
        values[property_] = "|".join(dict.fromkeys(str(getattr(kind, property_)) for kind in content.kinds))
    return values | {"caption": caption(content, Stream(seed, index))}


def mask_rows(name: str, content: Content) -> Rows:
    """Returns the mask rows of a scene; empty for one kind of object, since maps are scored on two."""
    if len(content.kinds) < 2:
        return []
    return [
        {
            "path": f"{name}.png",
            "mask": f"{MASKS}/{name}_{k}.png",
            "object": f"{kind.color} {kind.shape}",
            "caption": object_caption(kind),
        }
        for k, kind in enumerate(content.kinds)
    ]


def _write(indices: range, *, folder: Path, seed: int, masks: bool, kinds: int | None) -> tuple[Rows, Rows]:
    rows: Rows = []
    masked_rows: Rows = []
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
    chunks = [range(count)[start : start + CHUNK] for start in range(0, count, CHUNK)]
    write = partial(_write, folder=folder, seed=seed, masks=masks, kinds=kinds)
    rows: Rows = []
    masked_rows: Rows = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for chunk_rows, chunk_masks in pool.map(write, chunks):
            rows += chunk_rows
            masked_rows += chunk_masks
            print(f"\rdrawing scenes: {len(rows)} of {count}", end="", flush=True)
    print()
    _write_table(folder / "captions.csv", ("path", "caption"), rows)
    if masks:
        _write_table(folder / "masks.csv", MASK_COLUMNS, masked_rows)
    # Written last: it marks a complete folder.
    _write_table(folder / "attributes.csv", COLUMNS, rows)


def _write_table(path: Path, columns: tuple[str, ...], rows: Rows) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
