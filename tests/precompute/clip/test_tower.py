"""Layers that can be captured, and the model after a capture."""

import pytest

from precompute import clip
from precompute.inputs import model_specs
from tests.support.contributions import decompose_by_token
from tests.support.towers import small_clip, some_pixels


@pytest.mark.parametrize("layers", [(), (0,), (0, 1), (0, 2), (-1,), (1, 2, 3)], ids=str)
def test_layers_that_are_not_the_last_ones_are_refused(layers):
    model = small_clip()

    with pytest.raises(model_specs.ModelError, match="layers are 0 to 2"):
        clip.capture(model, some_pixels(model), layers)


@pytest.mark.parametrize("count", [0, 4])
def test_more_layers_than_there_are_is_refused(count):
    with pytest.raises(model_specs.ModelError, match="from 1 to 3"):
        clip.last_layers(small_clip(), count)


def test_nothing_is_left_on_the_model():
    model = small_clip()
    before = model.weights_sha256

    decompose_by_token(model, some_pixels(model))

    hooks = [(m._forward_hooks, m._forward_pre_hooks) for m in model.model.modules()]
    assert all(not forward and not pre for forward, pre in hooks)
    assert clip.from_model(model.spec, model.model).weights_sha256 == before
