"""Texts of the planted model, and the options that load it."""

import numpy as np
import pytest

from precompute import clip
from precompute.demo.planted import model as planted_model
from tests.support.paths import ROOT
from tests.support.planted import RED, in_features


def test_a_text_is_the_mean_direction_of_its_words(model):
    one_word, two_words, framed = in_features(
        clip.encode_text(model, [RED, "red circles", "a picture with red objects"])
    )

    assert one_word[planted_model.FEATURES.index("red")] == pytest.approx(1)
    assert np.abs(framed - one_word).max() < 1e-6
    assert two_words[[planted_model.FEATURES.index(word) for word in ("red", "circles")]] == pytest.approx(
        0.5**0.5
    )


def test_make_planted_uses_the_options_of_this_model():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    mean, std = [",".join(map(str, values)) for values in (planted_model.MEAN, planted_model.STD)]

    assert f"--model {planted_model.MODEL_NAME} " in makefile
    assert f"--mean {mean} --std {std} --interpolation {planted_model.INTERPOLATION}" in makefile
