"""Accuracy of the demo models: shipped as on the card, untrained about chance."""

import re

import pytest

from precompute.demo import IMAGE_SIZE, MODELS
from precompute.demo.cache import cached_scenes
from precompute.demo.model import fresh_model, shipped_model
from precompute.demo.models.scoring import table
from precompute.demo.scoring import score
from precompute.demo.words import PROPERTIES

FRESH_SEED = 4

SHIPPED = pytest.mark.parametrize("name", list(MODELS))


@SHIPPED
def test_the_shipped_weights_have_the_scores_of_their_card(name, tmp_path):
    model = MODELS[name]
    pixels = cached_scenes(tmp_path.parent, count=200, seed=FRESH_SEED, side=IMAGE_SIZE, kinds=1)

    scores = score(shipped_model(model), pixels, seed=FRESH_SEED)

    card = model.card.read_text(encoding="utf-8")
    for result in scores:
        printed = float(re.search(rf"\| {result.property} \| .* \| ([\d.]+) \|", card)[1])
        # Four standard errors of 200 scenes, and a margin for the error of the card.
        assert abs(result.accuracy - printed) <= 0.02 + 4 * (printed * (1 - printed) / 200) ** 0.5, result


def test_an_untrained_model_scores_about_chance(tmp_path):
    pixels = cached_scenes(tmp_path, count=60, seed=FRESH_SEED, side=IMAGE_SIZE, kinds=1)

    scores = score(fresh_model(), pixels, seed=FRESH_SEED)

    assert all(s.accuracy < s.chance + 0.25 for s in scores)
    assert table(scores).count("\n") == 1 + len(PROPERTIES)
