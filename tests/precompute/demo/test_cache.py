"""Scenes at the size of a model's input."""

from precompute.demo import IMAGE_SIZE
from precompute.demo.cache import small

FRESH_SEED = 4


def test_a_small_scene_is_the_scene_resized():
    assert small(0, FRESH_SEED, IMAGE_SIZE).shape == (IMAGE_SIZE, IMAGE_SIZE, 3)
