"""Training: the losses, and resuming from a checkpoint."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from precompute.demo import MODELS, DemoModel
from precompute.demo.models import training
from precompute.demo.models.batches import PropertyCaptions
from precompute.demo.models.build import shipped_model
from precompute.demo.models.training import Recipe, train_one


class Elsewhere(DemoModel):
    """A demo model with its weights in another folder."""

    folder: ClassVar[Path]

    @property
    def checkpoint(self):
        return self.folder / "weights.safetensors"


def of_one_property(short, matches, unknown, contrast):
    captions = (PropertyCaptions("category", 0, matches, unknown),)
    value = training.loss(short, torch.eye(len(short)) * 9.0, captions, contrast).item()
    of_scenes = training.loss(short, torch.eye(len(short)) * 9.0, (), contrast).item()
    return (value - of_scenes) / training.WEIGHT["category"]


def test_clips_loss_shares_the_target_evenly_over_the_true_captions():
    matches = torch.tensor([[True, True, False], [False, False, True]])

    value = of_one_property(
        torch.where(matches, 20.0, 0.0), matches, torch.zeros_like(matches), training._softmax
    )

    # One scene has two true captions: log 2 from scene to caption, 0 from caption to scene.
    assert value == pytest.approx(0.5 * np.log(2) / 2, rel=1e-4)


def test_clips_loss_of_scenes_is_symmetric_cross_entropy():
    value = training.loss(torch.zeros(2, 0), torch.eye(2) * 3.0, (), training._softmax).item()

    assert value == pytest.approx(training.FULL * np.log1p(np.exp(-3)), rel=1e-4)


def test_siglips_loss_is_that_of_every_pair():
    matches = torch.tensor([[True, False, False], [False, True, False]])
    logits = torch.tensor([[2.0, -3.0, 0.5], [1.0, 4.0, -1.0]])

    value = of_one_property(logits, matches, torch.zeros_like(matches), training._sigmoid)

    signed = np.array([2.0, 3.0, -0.5, -1.0, 4.0, 1.0])
    assert value == pytest.approx(np.log1p(np.exp(-signed)).sum() / 2, rel=1e-5)


@pytest.mark.parametrize("contrast", [training._softmax, training._sigmoid])
def test_a_pair_of_which_nobody_knows_changes_nothing(contrast):
    matches = torch.tensor([[True, False], [False, True]])
    unknown = torch.tensor([[False, True], [False, False]])
    logits = torch.tensor([[3.0, 1.0], [0.0, 2.0]])
    other = logits + unknown * 50.0

    assert of_one_property(logits, matches, unknown, contrast) == pytest.approx(
        of_one_property(other, matches, unknown, contrast)
    )


@pytest.mark.slow
def test_training_resumes_from_its_checkpoint(tmp_path, capsys):
    recipe = Recipe(scenes=40, batch=4, held_out=4)
    model = next(iter(MODELS.values()))
    short, longer = (Elsewhere(*model._replace(pairs=pairs)) for pairs in (8, 16))
    Elsewhere.folder = tmp_path

    for demo in (short, longer):
        train_one(demo, recipe=recipe, work=tmp_path, compiled=False)

    assert "carrying on at step 2 of 4" in capsys.readouterr().out
    assert torch.load(tmp_path / f"{longer.checkpoint.stem}.pt", weights_only=True)["step"] == 4
    assert shipped_model(longer).logit_scale.isfinite()
