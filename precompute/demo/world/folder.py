"""Writes a folder of scenes: pictures, `attributes.csv`, `captions.csv`, `LICENSE.txt`, and optionally masks.

Masks are in a hidden folder, `.masks`, so that they are not listed as images; `masks.csv` assigns them to the
things.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from precompute.demo.hashing import Stream
from precompute.demo.models.cache import in_chunks
from precompute.demo.png import png
from precompute.demo.world.artwork import CREDIT, LICENSE_URL, NATURAL
from precompute.demo.world.pool import OF_THINGS
from precompute.demo.world.scenes import Content, draw
from precompute.demo.world.things import PROPERTY
from precompute.demo.world.words import caption, kind_caption

COLUMNS = ("path", "category", *OF_THINGS, "color", "background", "counting", "position", "kinds")
MASK_COLUMNS = ("path", "mask", "object", "caption")
MASKS = ".masks"
CHUNK = 25
LICENSE_NOTE = f"""\
These pictures are drawn by Headlight and may be used under the license of their artwork.
{CREDIT} ({LICENSE_URL}).
Changes: cut, resized, tinted, and placed with shadows on drawn backgrounds.
"""

Rows = list[dict[str, str]]
MaskRows = list[tuple[str, ...]]


def row(name: str, content: Content, index: int, seed: int) -> dict[str, str]:
    """Returns attributes and caption of a scene; where its two kinds differ, both values separated by |.

    A noun is the value of the property of its category: a picture of a dog and a car has the animal dog and
    the vehicle car. The color of a thing that is not tinted is unknown and left out.
    """
    kinds = content.kinds
    values = {
        "category": [kind.category for kind in kinds],
        "color": [kind.color for kind in kinds if kind.color != NATURAL],
        "counting": [str(kind.count) for kind in kinds],
        "position": [kind.position for kind in kinds],
    }
    for property_ in OF_THINGS:
        values[property_] = [kind.noun for kind in kinds if PROPERTY[kind.category] == property_]
    joined = {name: "|".join(dict.fromkeys(several)) for name, several in values.items()}
    joined |= {"path": name, "background": content.background, "kinds": str(len(kinds))}
    return joined | {"caption": caption(content, Stream(seed, index))}


def mask_rows(name: str, content: Content) -> MaskRows:
    """Returns values of MASK_COLUMNS; empty for one kind of thing, since maps are scored on two."""
    if len(content.kinds) < 2:
        return []
    return [
        (f"{name}.png", f"{MASKS}/{name}_{k}.png", f"{kind.color} {kind.noun}".strip(), kind_caption(kind))
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

    `kinds` is the number of kinds of thing in every scene, 1 or 2; None for two kinds in half of the scenes.
    """
    (folder / MASKS if masks else folder).mkdir(parents=True, exist_ok=True)
    write = partial(_write, folder=folder, seed=seed, masks=masks, kinds=kinds)
    rows: Rows = []
    masked_rows: MaskRows = []
    for chunk_rows, chunk_masks in in_chunks(write, count, CHUNK):
        rows += chunk_rows
        masked_rows += chunk_masks
    (folder / "LICENSE.txt").write_text(LICENSE_NOTE, encoding="utf-8")
    _write_table(folder / "captions.csv", ("path", "caption"), rows)
    if masks:
        _write_table(folder / "masks.csv", MASK_COLUMNS, masked_rows)
    # Written last: it marks a complete folder.
    _write_table(folder / "attributes.csv", COLUMNS, rows)


def _write_table(path: Path, columns: tuple[str, ...], rows: Rows | MaskRows) -> None:
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False, lineterminator="\n")
