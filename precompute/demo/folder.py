"""A folder of scenes on disk: pictures, `attributes.csv`, `captions.csv`, and if asked for the masks."""

import csv
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from precompute.demo.hashing import Stream
from precompute.demo.png import png
from precompute.demo.scenes import Content, draw
from precompute.demo.words import caption

COLUMNS = ("path", "color", "shape", "pattern", "background", "count", "position", "kinds")
CHUNK = 25


def row(name: str, content: Content, index: int, seed: int) -> dict[str, str]:
    """A scene's attributes and caption; where two kinds differ, both values with a bar between."""
    values = {"path": name, "background": content.background, "kinds": str(len(content.kinds))}
    for of in ("color", "shape", "pattern", "count", "position"):
        values[of] = "|".join(dict.fromkeys(str(getattr(kind, of)) for kind in content.kinds))
    return values | {"caption": caption(content, Stream(seed, index))}


def _write(start: int, *, folder: Path, count: int, seed: int, masks: bool) -> list[dict[str, str]]:
    rows = []
    for index in range(start, min(start + CHUNK, count)):
        scene = draw(index, seed)
        name = f"scene_{index:05d}"
        (folder / f"{name}.png").write_bytes(png(scene.image))
        for k, mask in enumerate(scene.mask if masks else ()):
            (folder / "masks" / f"{name}_{k}.png").write_bytes(png(mask))
        rows.append(row(f"{name}.png", scene.content, index, seed))
    return rows


def write_scenes(folder: Path, *, count: int, seed: int, masks: bool = False) -> None:
    """Write the first `count` scenes of a seed, on all cores, showing progress."""
    (folder / "masks" if masks else folder).mkdir(parents=True, exist_ok=True)
    starts = range(0, count, CHUNK)
    write = partial(_write, folder=folder, count=count, seed=seed, masks=masks)
    rows: list[dict[str, str]] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for written in pool.map(write, starts):
            rows += written
            print(f"\rdrawing scenes: {len(rows)} of {count}", end="", flush=True)
    print()
    _write_table(folder / "captions.csv", ("path", "caption"), rows)
    # Last: a folder with this file is complete.
    _write_table(folder / "attributes.csv", COLUMNS, rows)


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
