"""Zero-shot scores: color counts tinted things alone, and an untrained model scores about chance."""

import pytest

from precompute.demo import IMAGE_SIZE, MODELS
from precompute.demo.models.build import fresh_model
from precompute.demo.models.cache import cached_scenes
from precompute.demo.models.scoring import Score, halfway, score, table
from precompute.demo.world.words import PROPERTIES

FRESH_SEED = 4


def test_an_untrained_model_scores_about_chance(tmp_path):
    pixels = cached_scenes(tmp_path, count=60, seed=FRESH_SEED, side=IMAGE_SIZE, kinds=1)

    scores = score(fresh_model(next(iter(MODELS.values()))), pixels, seed=FRESH_SEED)

    assert [s.property for s in scores] == list(PROPERTIES)
    assert all(s.accuracy < s.chance + 0.25 for s in scores)
    assert table(scores).count("\n") == 1 + len(PROPERTIES)


def test_halfway_is_between_chance_and_one():
    assert halfway(Score("color", 8, 0.125, 0.5)) == pytest.approx(0.5625)
