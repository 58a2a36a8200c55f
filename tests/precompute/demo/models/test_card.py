"""The card of a demo model: reproducible, and clear about properties that were not learned."""

import re

import pytest

from precompute.demo import MODEL_NAME, MODELS
from precompute.demo.models.card import write_card
from precompute.demo.models.scoring import Score, halfway
from precompute.demo.world.words import PROPERTIES

SHIPPED = pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.card.exists()])


@SHIPPED
def test_the_card_is_reproducible_from_the_weights(name, tmp_path):
    model = MODELS[name]
    printed = model.card.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", printed, re.M)
    scores = [
        Score(property_, int(values), float(chance), float(right))
        for property_, values, chance, right in rows
    ]

    write_card(model, scores, scenes=2000, path=tmp_path / "again.md")

    assert [score.property for score in scores] == list(PROPERTIES)
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == printed


def test_the_card_names_properties_that_were_not_learned(tmp_path):
    scores = [Score("color", 10, 0.1, 0.99), Score("shape", 8, 0.125, 0.3)]

    write_card(MODELS[MODEL_NAME], scores, scenes=10, path=tmp_path / "card.md")

    assert "less than half: shape." in (tmp_path / "card.md").read_text()
    assert [score.accuracy >= halfway(score) for score in scores] == [True, False]
