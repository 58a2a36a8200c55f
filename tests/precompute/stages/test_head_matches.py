"""Matches of models written by hand: copies, permuted heads, unrelated heads, and their controls."""

import pandas as pd
import pytest
import torch

from precompute.method.types import HeadSpaces
from precompute.runtime import work_files
from precompute.stages import head_matches
from precompute.stages.decompose_images import Shard
from precompute.stages.head_matches import ModelHeads

IMAGES, LAYERS, HEADS, RANK, D_OUT = 60, (2, 3), 5, 4, 6
ORDER = [4, 0, 5, 1, 9, 2, 8, 3, 7, 6]
"""Heads of the permuted model, as places in the first model."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "work"


def outputs(seed: int) -> torch.Tensor:
    """Coordinates [image, head, rank] of ten unrelated heads."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(IMAGES, len(LAYERS) * HEADS, RANK, generator=generator)


def model(
    folder, name: str, head: torch.Tensor, control_of: str | None = None, architecture="tiny"
) -> ModelHeads:
    """A model with these outputs in two shards, and bases that are axes of d_out."""
    names = [f"{number:016x}" for number in range(len(head))]
    shards = []
    for part in (slice(0, 40), slice(40, None)):
        shard = Shard(names[part], folder / f"model-{name}" / "images" / f"{part.start}.safetensors")
        work_files.save_tensors(shard.path, {"head": head[part].unflatten(1, (len(LAYERS), HEADS))})
        shards.append(shard)
    basis = torch.eye(D_OUT)[:RANK].expand(len(LAYERS), HEADS, -1, -1)
    spaces = HeadSpaces(LAYERS, basis, torch.full((len(LAYERS), HEADS), RANK))
    return ModelHeads(f"{name}-key", f"tiny/{name}", architecture, control_of, spaces, tuple(shards))


def paired(table: pd.DataFrame, other: str, pairing: str = "best") -> pd.DataFrame:
    rows = table[(table["other_model_key"] == f"{other}-key") & (table["pairing"] == pairing)]
    return rows.reset_index(drop=True)


def test_a_copy_and_a_permuted_copy_are_matched_head_by_head_above_all_controls(folder):
    head = outputs(0)
    models = [
        model(folder, "first", head),
        model(folder, "copy", head),
        model(folder, "permuted", head[:, ORDER]),
        *(
            model(folder, f"r{place}", outputs(9 + place), f"tiny/{name}")
            for place, name in enumerate(("first", "copy", "permuted"))
        ),
    ]

    table = head_matches.rows(models, folder)

    first = table[table["model_key"] == "first-key"]
    copy, permuted = paired(first, "copy"), paired(first, "permuted")
    assert copy["cka"].tolist() == pytest.approx([1] * 10, abs=1e-6)
    assert (copy[["layer", "head"]].to_numpy() == copy[["other_layer", "other_head"]].to_numpy()).all()
    assert copy["exceeds"].all() and copy["overlap"].tolist() == pytest.approx([1] * 10)
    assert copy["median_angle"].max() < 1e-4
    places = permuted["other_layer"].map(LAYERS.index) * HEADS + permuted["other_head"]
    assert [ORDER[place] for place in places] == list(range(10))
    assert permuted["control_cka"].max() < 0.5
    assert permuted["control_p"].tolist() == pytest.approx([1 / 21] * 10)
    assert paired(first, "permuted", "place")["cka"].max() < 0.5


def test_few_matches_of_unrelated_heads_exceed_their_nulls(folder):
    models = [
        model(folder, "first", outputs(0)),
        model(folder, "other", outputs(1)),
        model(folder, "r0", outputs(2), "tiny/first"),
        model(folder, "r1", outputs(3), "tiny/other"),
    ]

    table = head_matches.rows(models, folder)

    assert paired(table, "other")["exceeds"].sum() <= 1  # of ten, at a level of 0.05
    assert paired(table, "r0")["exceeds"].isna().all() and paired(table, "r0")["shuffled_p"].notna().all()
    assert set(paired(table, "r1")["model_key"]) == {"other-key"}  # its own model alone


def test_models_without_controls_and_of_other_architectures_have_no_null_no_place_and_no_angle(folder):
    head = outputs(0)
    models = [
        model(folder, "first", head),
        model(folder, "wide", head[:, :5].repeat(1, 2, 1), architecture="wide"),
    ]

    table = head_matches.rows(models, folder)

    assert len(table) == 10 and set(table["pairing"]) == {"best"}
    assert table[["control_p", "exceeds", "overlap"]].isna().all(axis=None)


def test_one_model_gives_no_rows(folder):
    assert head_matches.rows([model(folder, "first", outputs(0))], folder).empty


def test_a_second_run_reads_what_the_first_has_compared(folder):
    models = [model(folder, "first", outputs(0)), model(folder, "other", outputs(1))]
    table = head_matches.rows(models, folder)
    for part in models:
        for shard in part.shards:
            shard.path.unlink()

    pd.testing.assert_frame_equal(head_matches.rows(models, folder), table)
