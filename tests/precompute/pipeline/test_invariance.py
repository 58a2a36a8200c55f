"""The same images and model give the same bundle up to rounding, however the work is cut and shared out.

Names, order and source of the images: test_run.py and test_same_images.py.
"""

from dataclasses import replace

import pytest
import torch

from db.connection import open_bundle
from db.diff import diff
from precompute import demo
from precompute.demo.world.folder import write_scenes
from precompute.demo.world.pool import PROMPTS_PATH
from precompute.pipeline import run as pipeline_run
from precompute.runtime import devices
from precompute.runtime.config import ModelChoice
from precompute.validation import map_scores
from tests.conftest import small_config


@pytest.fixture
def threads():
    """A function that sets how many threads torch and the stages on top of it use."""
    inside, beside = torch.get_num_threads(), devices.threads()
    yield devices.use_threads
    devices.use_threads(beside)
    torch.set_num_threads(inside)


@pytest.mark.parametrize(
    ("batch_size", "shard_size", "workers", "count"),
    [
        (7, 11, 2, 1),
        pytest.param(1, 512, 0, 3, marks=pytest.mark.slow),
        pytest.param(32, 1, 0, 1, marks=pytest.mark.slow),
    ],
)
def test_batches_shards_workers_and_threads_leave_no_trace(
    small_bundle, scene_folder, pool_file, tmp_path, threads, batch_size, shard_size, workers, count
):
    threads(count)
    how = {"batch_size": batch_size, "shard_size": shard_size, "workers": workers}

    other = pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "other", **how))

    assert diff(open_bundle(small_bundle), open_bundle(other)) == []


@pytest.mark.very_slow
@pytest.mark.slow
def test_nor_do_they_in_any_stage_of_a_study(pool_file, tmp_path, threads, monkeypatch):
    """A trained model and its random-weights control, with maps, validation and intervals."""
    folder = tmp_path / "scenes"
    write_scenes(folder, count=700, seed=5, masks=True)
    table = folder / "masks.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:21]) + "\n")
    one = small_config(
        folder,
        pool_file,
        tmp_path / "one",
        models=(ModelChoice(demo.MODEL_NAME),),
        controls=True,
        masks=table,
        prompts=PROMPTS_PATH,
        validation=True,
        validation_images=40,
        batch_size=32,
        shard_size=512,
    )
    threads(1)
    pipeline_run.run(one)

    threads(2)
    monkeypatch.setattr(map_scores, "PIECE", 3)
    pipeline_run.run(replace(one, bundle=tmp_path / "other", batch_size=7, shard_size=97, workers=2))

    assert diff(open_bundle(one.bundle), open_bundle(tmp_path / "other")) == []
