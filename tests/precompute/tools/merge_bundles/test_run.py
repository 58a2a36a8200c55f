"""Bundles taken apart and merged again are what they were; ranks and matches are those of all models."""

import pandas as pd
import pytest

from db import merge, rewrite
from db.connection import open_bundle, query
from db.diff import diff
from db.errors import BundleExists
from db.verify import problems
from headlight.__main__ import main
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ConfigError, ModelChoice
from precompute.tools.merge_bundles.options import MergeTask
from precompute.tools.merge_bundles.run import run
from tests.conftest import small_config
from tests.support import boards, bundles
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.parted import without_models


@pytest.fixture
def tiny(tiny_bundle):
    return open_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def halves(tiny_bundle, tmp_path_factory):
    """A bundle of each model of the tiny one."""
    folder = tmp_path_factory.mktemp("halves")
    parts = (("known", CONTROL_KEY), ("random", MODEL_KEY))
    return [without_models(open_bundle(tiny_bundle), folder / name, {gone}) for name, gone in parts]


@pytest.fixture(scope="module")
def again(halves, tmp_path_factory):
    return merged(tmp_path_factory.mktemp("again"), *halves)


def merged(folder, *parts):
    return open_bundle(run(MergeTask(bundles=tuple(parts), out=folder / "merged")))


RANKS = {"model_metric.rank_low", "model_metric.rank_high"}


def different(first, second) -> set[str]:
    """Columns with other values; the tiny bundle's ranks, of a single trained model, are made up."""
    names = {line.split(":")[0] for line in diff(first, second)}
    return {name.partition(".")[0] if name.startswith("head_match") else name for name in names} - RANKS


def test_the_parts_of_a_bundle_are_it_again(tiny, again):
    assert different(tiny, again) == {"bundle.input_id", "head_match"}
    assert problems(again.path) == []


def test_heads_of_a_model_are_matched_with_those_of_its_control_in_the_other_bundle(again):
    rows = query(again, "from head_match where pairing = 'best'")

    assert set(zip(rows["model_key"], rows["other_model_key"], strict=True)) == {(MODEL_KEY, CONTROL_KEY)}
    assert len(rows) == len(bundles.PAIRS)


@pytest.mark.slow
def test_the_order_of_bundles_changes_no_number(halves, again, tmp_path):
    assert diff(again, merged(tmp_path, *reversed(halves))) == []


@pytest.mark.slow
def test_a_model_of_both_bundles_is_taken_once(tiny, halves, tmp_path):
    again = merged(tmp_path, halves[1], tiny.path)

    assert again.model_keys == sorted(bundles.MODELS)
    assert different(tiny, again) == {"bundle.input_id"}


@pytest.mark.slow
def test_a_merged_bundle_can_be_merged_again(tiny, again, tmp_path):
    twice = merged(tmp_path, again.path, again.path)

    assert query(twice, "select count(*) as n from run where stage = 'merge'")["n"][0] == 1


@pytest.mark.slow
def test_what_depends_on_the_smallest_model_is_left_out_where_that_is_another_now(
    two_models, tmp_path, capsys
):
    """One part has a model of four heads, the other one of two."""
    rows = pd.DataFrame({"model_key": list(bundles.MODELS), "metric": merge.OF_SMALLEST, "value": 0.5})
    info = {"level": "model", "title": "t", "description": "d", "unit": "share", "direction": "lower"}
    metric = pd.DataFrame([info | {"metric": merge.OF_SMALLEST, "ranked": True, "position": 99}])
    with rewrite.open_copy(open_bundle(two_models), tmp_path / "whole", input_id="whole") as writer:
        writer.write("metric", metric)
        writer.write("model_metric", rows.assign(heads_used="all", labels="offline"))
        whole = open_bundle(writer.finish())
    parts = [without_models(whole, tmp_path / key, {key}) for key in bundles.MODELS]

    again = merged(tmp_path, *parts)

    left = query(again, "select model_key from model_metric where metric = 'entanglement_smallest'")
    assert left["model_key"].tolist() == [CONTROL_KEY]
    assert (
        f"left out: shared labels at the size of the smallest model, for {MODEL_KEY}."
        in capsys.readouterr().err
    )


@pytest.mark.slow
def test_models_of_two_runs_are_those_of_one_run_of_both(scene_folder, pool_file, tmp_path):
    """All but the matches, which are computed from stored float16 coordinates."""
    names = ["ViT-emoji-S-16/pictures_1", "ViT-emoji-S-12/pictures_1"]
    runs = {"first": names[:1], "second": names[1:], "both": names}
    made = {}
    for name, models in runs.items():
        choices = tuple(ModelChoice(model) for model in models)
        config = small_config(scene_folder, pool_file, tmp_path / name, models=choices, controls=True)
        made[name] = pipeline_run.run(config)

    again, both = merged(tmp_path, made["first"], made["second"]), open_bundle(made["both"])

    assert different(again, both) <= {"bundle.input_id", "head_match"}
    order = "from head_match order by model_key, other_model_key, pairing, layer, head"
    matches = [query(bundle, order) for bundle in (again, both)]
    assert matches[0]["cka"].sum() == pytest.approx(matches[1]["cka"].sum(), rel=1e-3)


def test_one_bundle_and_an_existing_output_are_refused(halves, tmp_path, capsys):
    with pytest.raises(ConfigError, match="only one bundle"):
        MergeTask(bundles=(halves[0],), out=tmp_path / "merged")
    with pytest.raises(BundleExists, match="--replace"):
        run(MergeTask(bundles=tuple(halves), out=halves[0]))


def test_the_command_says_where_the_bundle_is_and_refuses_in_one_line(halves, tmp_path, capsys):
    code = main(["bundle", "merge", *map(str, halves), str(tmp_path / "both")])
    assert code == 0 and f"open it with: headlight view {tmp_path / 'both'}" in capsys.readouterr().err

    other = boards.write_board(tmp_path / "board")
    assert main(["bundle", "merge", str(halves[0]), str(other), str(tmp_path / "no")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1
    assert not (tmp_path / "no").exists()
