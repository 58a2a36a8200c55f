"""The study of the paper, at the true sizes of its six models, from files of weights written here."""

import json

import pandas as pd
import pytest
from safetensors.torch import save_file

from db.connection import open_bundle, query
from precompute import clip
from precompute.__main__ import main
from precompute.inputs import model_specs
from tests.support.pages import open_page, said

SIZES = {"ViT-B-32": (151_277_313, 32), "ViT-B-16": (149_620_737, 16), "ViT-L-14": (427_616_513, 14)}
"""Parameters and patch of each architecture, as open_clip counts them."""


def write_weights(folder) -> dict[str, str]:
    """A file for each model of the study: random numbers, half precision, as published files are."""
    files = {}
    for number, name in enumerate(model_specs.STUDY):
        fresh = clip.load(model_specs.resolve(f"{name}-random-{number + 1}", clip.catalog()))
        state = {key: value.half().contiguous() for key, value in fresh.model.state_dict().items()}
        files[name] = str(folder / f"{number}.safetensors")
        save_file(state, files[name])
    return files


@pytest.mark.very_slow
@pytest.mark.slow
def test_the_six_models_and_their_controls_come_to_one_leaderboard(
    scene_folder, pool_file, tmp_path, monkeypatch
):
    files = write_weights(tmp_path)
    bundle = tmp_path / "study"
    command = ["run", "--model", "study", "--images", str(scene_folder), "--limit", "8"]
    command += ["--texts", str(pool_file), "--bundle", str(bundle), "--gallery-images", "2"]
    command += ["--rotations", "19", "--replicates", "0", "--picks", "6"]
    for name, file in files.items():
        command += ["--checkpoint", f"{name}={file}"]

    assert main(command) == 0

    found = query(open_bundle(bundle), "select * from model order by model").set_index("model")
    trained = found[~found.is_control]
    unverified = {name for name in model_specs.STUDY if not name.endswith("openai")}
    assert unverified < set(trained.index) and len(trained) == len(model_specs.STUDY)
    assert sorted(found[found.is_control].control_of) == sorted(trained.index)
    for name, row in trained.iterrows():
        assert (row.parameters, row.patch_size) == SIZES[row.architecture]
        assert row.activation == ("gelu" if name in unverified else "quick_gelu")
        if name in unverified:
            assert row.training_data == model_specs.STUDY[name] and not row.weights_verified
        else:
            assert pd.isna(row.training_data) and pd.isna(row.weights_verified)
    assert found.max_sum_error.max() < 1e-5
    assert json.loads((bundle / "manifest.json").read_text())["models"][0]["weights_sha256"]
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))
    board = open_page("leaderboard")
    assert not board.exception and said(board) == ""
    published = [frame.value for frame in board.dataframe if "read_from" in frame.value]
    assert "ViT-B-32/datacomp_m_s128m_b4k" in set(published[0]["model"])
