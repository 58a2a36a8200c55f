"""Training: the loss, and resuming from a checkpoint."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from precompute.demo import MODEL_NAME, MODELS, DemoModel, training
from precompute.demo.batches import Batch, PropertyCaptions
from precompute.demo.model import shipped_model
from precompute.demo.training import Recipe, train_one


class Elsewhere(DemoModel):
    """A demo model with its weights in another folder."""

    folder: ClassVar[Path]

    @property
    def checkpoint(self):
        return self.folder / "weights.safetensors"


def test_the_loss_shares_the_target_evenly_over_the_true_captions():
    matches = torch.tensor([[True, True, False], [False, False, True]])
    batch = Batch(torch.zeros(2, 1, 1, 3, dtype=torch.uint8), torch.zeros(5, 4, dtype=torch.long), ())
    by_property = torch.where(matches, 20.0, 0.0)
    by_scene = torch.tensor([[9.0, 0.0], [0.0, 9.0]])

    batch = batch._replace(property_captions=(PropertyCaptions("count", 0, matches),))
    value = training.loss(torch.cat([by_property, by_scene], dim=1), batch)

    # One scene has two true captions: log 2 from scene to caption, 0 from caption to scene.
    expected = 0.5 * (np.log(2) / 2) + training.FULL * np.log1p(np.exp(-9))
    assert value.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_training_resumes_from_its_checkpoint(tmp_path, capsys):
    recipe = Recipe(scenes=40, batch=4, held_out=4)
    short, longer = (Elsewhere(*MODELS[MODEL_NAME]._replace(pairs=pairs)) for pairs in (8, 16))
    Elsewhere.folder = tmp_path

    for demo in (short, longer):
        train_one(demo, recipe=recipe, work=tmp_path, compiled=False)

    assert "carrying on at step 2 of 4" in capsys.readouterr().out
    assert torch.load(tmp_path / f"{longer.checkpoint.stem}.pt", weights_only=True)["step"] == 4
    assert shipped_model(longer).logit_scale.isfinite()
