"""Scenes drawn on all cores, and a cache of training scenes in one file outside the repository.

Scenes in the cache have the model's resolution. They are resized with the same bicubic filter as any other
picture for the model.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from db.atomic_file import atomic_file
from precompute.demo import IMAGE_SIZE
from precompute.demo.world.scenes import draw

CHUNK = 250
HELD_OUT_SEED = 2

Result = TypeVar("Result")


def in_chunks(draw_chunk: Callable[[range], Result], count: int, size: int) -> Iterator[Result]:
    """Yields the result of every `size` of `count` scenes in order, on all cores, and prints progress."""
    chunks = [range(count)[start : start + size] for start in range(0, count, size)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for chunk, result in zip(chunks, pool.map(draw_chunk, chunks), strict=True):
            yield result
            print(f"\rdrawing scenes: {chunk.stop} of {count}", end="", flush=True)
    print()


def small(
    index: int, seed: int, side: int, kinds: int | None = None, cue: float = 0.0
) -> UInt8[np.ndarray, "side side 3"]:
    """Returns one scene at the resolution `side`."""
    picture = Image.fromarray(draw(index, seed, kinds, cue).image)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def _chunk(
    indices: range, *, seed: int, side: int, kinds: int | None, cue: float
) -> UInt8[np.ndarray, "image side side 3"]:
    return np.stack([small(index, seed, side, kinds, cue) for index in indices])


def cached_scenes(
    folder: Path, *, count: int, seed: int, side: int, kinds: int | None = None, cue: float = 0.0
) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns the first `count` scenes of a seed from the cache file; draws them if the file is missing."""
    path = folder / f"scenes_{seed}_{count}_{side}_{kinds or 'any'}_{round(100 * cue)}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draw_chunk, shape = (
            partial(_chunk, seed=seed, side=side, kinds=kinds, cue=cue),
            (count, side, side, 3),
        )
        with atomic_file(path) as temporary:
            pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            for number, chunk in enumerate(in_chunks(draw_chunk, count, CHUNK)):
                pixels[number * CHUNK :][: len(chunk)] = chunk
            pixels.flush()
    return np.load(path, mmap_mode="r")


def held_out_scenes(folder: Path, *, count: int) -> UInt8[np.ndarray, "image side side 3"]:
    """Returns scenes of one kind of object, of a seed that is not used in training."""
    return cached_scenes(folder, count=count, seed=HELD_OUT_SEED, side=IMAGE_SIZE, kinds=1)
