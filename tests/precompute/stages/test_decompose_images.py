"""Contributions that do not sum to the embedding are refused."""

from dataclasses import replace

import pytest
import torch

from precompute.inputs import images
from precompute.inputs.model_specs import ModelError
from precompute.stages import decompose_images
from tests.conftest import small_config
from tests.support.towers import small_clip


@pytest.mark.parametrize(
    ("precision", "advice"), [("bf16", "Give --precision float32"), ("float32", "please report it")]
)
def test_contributions_that_miss_the_embedding_are_refused(
    scene_folder, pool_file, tmp_path, precision, advice
):
    model = replace(small_clip(), precision=precision)
    file, *_ = images.gather(scene_folder).files
    distinct_images = images.distinct([file], images.scan([file], workers=0, thumbnails=False))
    config = small_config(scene_folder, pool_file, tmp_path / "b")
    shards = decompose_images.cut(list(distinct_images), tmp_path, 8)

    with pytest.raises(ModelError, match=f"2.0e-04 in {precision}.*1e-04.*{advice}"):
        decompose_images.run_missing(
            model,
            shards,
            distinct_images,
            lambda *_: {"sum_error": torch.tensor([2e-4])},
            "testing",
            config.read_options,
        )
