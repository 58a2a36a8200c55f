"""Scenes drawn on all cores, and a cache of training scenes in one file outside the repository.

Scenes in the cache have the model's resolution. They are resized with the same bicubic filter as any other
picture for the model.
"""

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from db.atomic_file import atomic_file
from precompute.demo import IMAGE_SIZE
from precompute.demo.models.cache import in_chunks
from precompute.demo.scenes import draw

CHUNK = 250
HELD_OUT_SEED = 2


def small(index: int, seed: int, side: int, kinds: int | None = None) -> UInt8[np.ndarray, "side side 3"]:
    """Returns one scene at the resolution `side`."""
    picture = Image.fromarray(draw(index, seed, kinds).image)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def _chunk(
    indices: range, *, seed: int, side: int, kinds: int | None
) -> UInt8[np.ndarray, "image side side 3"]:
    return np.stack([small(index, seed, side, kinds) for index in indices])


def cached_scenes(
    folder: Path, *, count: int, seed: int, side: int, kinds: int | None = None
) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns the first `count` scenes of a seed from the cache file; draws them if the file is missing."""
    path = folder / f"scenes_{seed}_{count}_{side}_{kinds or 'any'}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draw_chunk, shape = partial(_chunk, seed=seed, side=side, kinds=kinds), (count, side, side, 3)
        with atomic_file(path) as temporary:
            pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            for number, chunk in enumerate(in_chunks(draw_chunk, count, CHUNK)):
                pixels[number * CHUNK :][: len(chunk)] = chunk
            pixels.flush()
    return np.load(path, mmap_mode="r")


def held_out_scenes(folder: Path, *, count: int) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns scenes of one kind of object, of a seed that is not used in training."""
    return cached_scenes(folder, count=count, seed=HELD_OUT_SEED, side=IMAGE_SIZE, kinds=1)
