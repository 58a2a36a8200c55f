"""Cache of training scenes at the model's resolution, in one file outside the repository.

Scenes are resized with the same bicubic filter as any other picture for the model.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from db.atomic_file import atomic_file
from precompute.demo import IMAGE_SIZE
from precompute.demo.scenes import draw

CHUNK = 250
HELD_OUT_SEED = 2


def small(index: int, seed: int, side: int, kinds: int | None = None) -> UInt8[np.ndarray, "side side 3"]:
    """Returns one scene at the resolution `side`."""
    picture = Image.fromarray(draw(index, seed, kinds).image)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def _chunk(
    start: int, *, stop: int, seed: int, side: int, kinds: int | None
) -> UInt8[np.ndarray, "image side side 3"]:
    return np.stack([small(index, seed, side, kinds) for index in range(start, min(start + CHUNK, stop))])


def cached_scenes(
    folder: Path, *, count: int, seed: int, side: int, kinds: int | None = None
) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns the first `count` scenes of a seed from the cache file; draws them if the file is missing."""
    path = folder / f"scenes_{seed}_{count}_{side}_{kinds or 'any'}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        starts, shape = range(0, count, CHUNK), (count, side, side, 3)
        with atomic_file(path) as temporary, ProcessPoolExecutor(os.cpu_count()) as pool:
            pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            chunks = pool.map(partial(_chunk, stop=count, seed=seed, side=side, kinds=kinds), starts)
            for start, chunk in zip(starts, chunks, strict=True):
                pixels[start : start + len(chunk)] = chunk
                print(f"\rdrawing scenes: {start + len(chunk)} of {count}", end="", flush=True)
            print()
            pixels.flush()
    return np.load(path, mmap_mode="r")


def held_out_scenes(folder: Path, *, count: int) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns scenes of one kind of object, of a seed that is not used in training."""
    return cached_scenes(folder, count=count, seed=HELD_OUT_SEED, side=IMAGE_SIZE, kinds=1)
