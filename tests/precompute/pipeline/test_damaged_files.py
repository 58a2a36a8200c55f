"""A damaged work file is made again or named, and a model has one name: neither wrong rows nor a late end."""

from dataclasses import replace
from pathlib import Path

import pytest

from db.connection import open_bundle
from db.diff import diff
from precompute.inputs import model_specs
from precompute.pipeline import run as pipeline_run
from precompute.pipeline import setup
from precompute.runtime.config import ModelChoice
from precompute.runtime.work_files import DamagedFile
from tests.conftest import small_config


def flip_a_bit(directory: Path, pattern: str) -> Path:
    path = min(directory.glob(pattern))
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 16
    path.unlink()
    path.write_bytes(content)
    return path


def test_a_flipped_bit_in_a_work_file_never_reaches_the_bundle(finished_run, small_bundle, capsys):
    """Results are computed again; a damaged shard ends the run, as its images would have to be read."""
    config, directory = replace(finished_run, replace=True), setup.work_directory(finished_run.bundle)
    results = ["texts-*", "classes-*", "moments-*", "heads-*", "draws-*", "selectivity-*"]
    for pattern in results:
        flip_a_bit(directory, f"model-*/{pattern}")

    pipeline_run.run(config)

    assert capsys.readouterr().err.count("is made again") == len(results)
    assert diff(open_bundle(small_bundle), open_bundle(config.bundle)) == []
    for pattern in ["model-*/images/*", "model-*/gallery/*", "model-*/spaces*", "scan/*"]:
        damaged = flip_a_bit(directory, pattern)
        with pytest.raises(DamagedFile, match=f"{damaged.name} is damaged"):
            pipeline_run.run(config)
        damaged.unlink()  # which is what the message says, but for the bases


def test_two_names_of_one_model_are_refused_before_it_takes_its_hours(scene_folder, pool_file, tmp_path):
    (tmp_path / "w.pt").write_bytes(b"one file under the names of two tags")
    for one, other in [
        (ModelChoice("ViT-B-32/openai"), ModelChoice("ViT-B-32/OpenAI")),
        (
            ModelChoice("ViT-B-32/openai", checkpoint=tmp_path / "w.pt"),
            ModelChoice("ViT-B-32/laion400m_e31", checkpoint=tmp_path / "w.pt"),
        ),
    ]:
        config = small_config(scene_folder, pool_file, tmp_path / "b", models=(one, other))

        with pytest.raises(model_specs.ModelError, match="are both named ViT-B-32/"):
            pipeline_run.run(config)
