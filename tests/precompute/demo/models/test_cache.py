"""Scenes at the size of a model's input, drawn once."""

import numpy as np
from PIL import Image

from precompute.demo.models.cache import cached_scenes
from precompute.demo.world.scenes import draw

SEED = 4


def test_a_cached_scene_is_the_scene_resized_and_is_drawn_once(tmp_path):
    pixels = cached_scenes(tmp_path, count=3, seed=SEED, side=32)

    whole = Image.fromarray(draw(2, SEED).image).resize((32, 32), Image.Resampling.BICUBIC)
    assert pixels.shape == (3, 32, 32, 3)
    assert np.array_equal(pixels[2], np.asarray(whole))
    file = next(tmp_path.iterdir())
    written = file.stat().st_mtime_ns
    cached_scenes(tmp_path, count=3, seed=SEED, side=32)
    assert file.stat().st_mtime_ns == written


def test_scenes_with_a_cue_are_others(tmp_path):
    plain, cued = (cached_scenes(tmp_path, count=8, seed=SEED, side=16, cue=cue) for cue in (0.0, 0.95))

    assert not np.array_equal(plain, cued)
