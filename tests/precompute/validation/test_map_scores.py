"""Maps of a model against masks: a trained model finds what a caption names, an untrained one does not."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch import tensor

from db.connection import open_bundle, query
from precompute import clip, demo
from precompute.__main__ import main
from precompute.clip import TextError
from precompute.demo.world.folder import write_scenes
from precompute.inputs import images, model_specs
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from precompute.stages import read_inputs
from precompute.validation import map_metrics, map_scores
from precompute.validation.subjects import COLUMNS, Subject
from tests.conftest import small_config
from tests.support.calls import count_calls
from tests.support.towers import small_clip

PICTURES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scenes of two kinds that no model was trained on."""
    path = tmp_path_factory.mktemp("masked")
    write_scenes(path, count=PICTURES, seed=41, masks=True, kinds=2)
    return path


@pytest.fixture(scope="module")
def tables(folder):
    """Rows of the shipped demo model and of its random-weights control, with one property of two heads."""
    pictures = images.read_masks(folder / "masks.csv")
    made = {}
    for name in (demo.MODEL_NAME, f"{demo.MODEL_NAME}-random-0"):
        model = clip.load(model_specs.resolve(name, clip.catalog()))
        chosen = map_scores.subjects(model, clip.last_layers(model, 4), {"color": [(5, 5), (5, 6)]})
        found = map_scores.table(model, list(chosen), map_scores.score(model, pictures, chosen))
        made[name] = by_subject(found)
    return made


def by_subject(table):
    """The rows by measure and by what is scored: the kind, or the method of a rival."""
    name = table["method"].fillna(table["subject_kind"])
    return table.assign(name=name).set_index(["measure", "name"])


def scores(by_head: list[list[float]]) -> map_scores.MapScores:
    """Contrast of each picture and head, as given; one set of heads, scored 1 everywhere."""
    contrast = tensor(by_head, dtype=torch.float64)
    heads = torch.stack([contrast, contrast, contrast], dim=-1)
    sets = torch.ones(len(contrast), 1 + len(map_scores.RIVALS), 3, dtype=torch.float64)
    return map_scores.MapScores(sets, heads, torch.full((len(contrast),), 0.1, dtype=torch.float64))


def test_a_trained_models_maps_find_what_the_caption_names(tables):
    found = tables[demo.MODEL_NAME]

    for subject in ("all_heads", "stored_layers", "property"):
        for measure in ("contrast", "caption"):
            row = found.loc[measure, subject]
            assert row.low > 0 and row["count"] == PICTURES and row.chance == 0
    assert found.loc["contrast", "all_heads"].value > 0.3
    assert found.loc["average_precision", "all_heads"].value > 3 * found.loc["contrast", "uniform"].chance


def test_an_untrained_model_does_not(tables):
    found = tables[f"{demo.MODEL_NAME}-random-0"]

    assert abs(found.loc["contrast", "all_heads"].value) < 0.1
    assert found.loc["contrast", "all_heads"].low < 0 < found.loc["contrast", "all_heads"].high


def test_a_map_that_ignores_the_text_tells_nothing_apart(tables):
    for found in tables.values():
        for subject in map_scores.RIVALS:
            assert found.loc["contrast", subject.method].value == 0
            assert found.loc["caption", subject.method].value == 0


def test_a_uniform_map_has_the_masks_share(tables, folder):
    row = tables[demo.MODEL_NAME].loc["average_precision", "uniform"]

    assert row.value == pytest.approx(row.chance, abs=1e-12)
    assert 0.03 < row.chance < 0.08  # in scenes of two kinds, the squares of each are 7.5 to 10 per cent


def test_sets_of_heads_hold_the_heads_they_name():
    model = small_clip()

    found = map_scores.subjects(model, (1, 2), {"shape": [(2, 0)], "color": [(1, 2), (2, 1)]})

    all_heads, stored, color, shape = found
    assert (str(all_heads), str(stored), str(color)) == ("all heads", "stored layers", "property color")
    assert found[all_heads].all()
    assert found[stored].tolist() == [[False] * 3, [True] * 3, [True] * 3]
    assert found[color].nonzero().tolist() == [[1, 2], [2, 1]]
    assert found[shape].nonzero().tolist() == [[2, 0]]


def test_the_best_head_is_not_scored_where_it_was_chosen():
    """Head L0.H1 shines on the pictures it is chosen on; what is reported is the other half."""
    given = scores([[0.1, 0.9] + [0.0] * 7, [0.5, 0.2] + [0.0] * 7, [0.1, 0.7] + [0.0] * 7])

    found = by_subject(map_scores.table(small_clip(), [Subject("all_heads")], given))

    row = found.loc["contrast", "best_head"]
    assert (row.layer, row["head"]) == (0, 1)
    assert row.value == pytest.approx(0.2) and row["count"] == 1


def test_a_picture_whose_mask_is_out_of_frame_is_left_out_and_counted(capsys):
    given = scores([[0.1, 0.9], [0.5, 0.2], [0.3, 0.3]])
    lost = tensor([False, True, False])
    given = map_scores.MapScores(*(values.clone() for values in given))
    given.by_set[lost] = given.by_head[lost] = torch.nan

    found = by_subject(map_scores.table(small_clip(), [Subject("all_heads")], given))

    assert found.loc["contrast", "all_heads"]["count"] == 2
    assert found.loc["contrast", "best_head"].value == pytest.approx(0.3)
    assert "1 of 3 pictures not scored" in capsys.readouterr().err


def test_work_that_is_done_is_read_back(folder, tmp_path, monkeypatch):
    pictures = images.read_masks(folder / "masks.csv")[:2]
    model = clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))
    first = map_scores.rows(model, pictures, (4,), {}, tmp_path)
    reads = count_calls(monkeypatch, images, "masked_pixels")

    again = map_scores.rows(model, pictures, (4,), {}, tmp_path)

    assert again.equals(first) and reads == []
    assert list(first.columns) == ["model_key", *COLUMNS]
    assert set(first.measure) == set(map_metrics.MEASURES)


def test_a_caption_with_words_the_model_never_saw_is_refused_before_anything_is_computed(folder):
    pictures = images.read_masks(folder / "masks.csv")
    model = clip.load(model_specs.resolve(demo.MODEL_NAME, clip.catalog()))

    with pytest.raises(TextError, match="gnu"):
        map_scores.check_captions(model, [pictures[0]._replace(captions=("a red gnu", "a star"))])


def test_a_command_prints_the_table(folder, capsys):
    code = main(["score-maps", "--model", demo.MODEL_NAME, "--masks", str(folder / "masks.csv")])

    said = capsys.readouterr().out
    assert code == 0
    assert demo.MODEL_NAME in said and "best head L" in said
    rows = [line.split() for line in said.splitlines() if line.split()[:3] == ["contrast", "all", "heads"]]
    assert float(rows[0][3]) > 0.3


def test_a_command_without_anything_to_score_on_says_so(capsys):
    assert main(["score-maps", "--model", demo.MODEL_NAME]) == 1

    assert "--masks CSV, --segmentation MAT" in capsys.readouterr().err


def test_a_moved_list_names_the_file_it_misses(folder, tmp_path, capsys):
    shutil.copy(folder / "masks.csv", tmp_path)

    code = main(["score-maps", "--model", demo.MODEL_NAME, "--masks", str(tmp_path / "masks.csv")])

    assert code == 1
    assert "masks.csv, line 2: no file 'scene_00000.png'" in capsys.readouterr().err


def test_maps_are_scored_on_as_many_pictures_as_asked_spread_evenly(
    folder, scene_folder, pool_file, tmp_path
):
    config = small_config(scene_folder, pool_file, tmp_path / "b", masks=folder / "masks.csv")
    every = read_inputs.read_files(config)[2]

    few = read_inputs.read_files(replace(config, masked_images=3))[2]

    assert len(every) == PICTURES and few == [every[place] for place in (0, 6, 11)]


def test_a_bundle_holds_the_scores_of_its_models(folder, scene_folder, pool_file, tmp_path):
    few = folder / "few.csv"
    few.write_text("\n".join((folder / "masks.csv").read_text().splitlines()[: 1 + 2 * 4]) + "\n")
    options = {"masks": few, "models": (ModelChoice(demo.MODEL_NAME),), "layers": 1, "replicates": 0}
    config = small_config(scene_folder, pool_file, tmp_path / "b", **options)

    bundle = open_bundle(pipeline_run.run(config))

    rows = query(bundle, "select * from validation_score where study = 'maps'")
    assert set(rows.model_key) == set(bundle.model_keys)
    named = set(query(bundle, "select distinct property from property_head").property)
    assert len(named) > 0
    assert set(rows.subject_kind) == {"all_heads", "stored_layers", "property", "best_head", "rival"}
    assert set(rows.property.dropna()) == named
    assert set(rows.method.dropna()) == {rival.method for rival in map_scores.RIVALS}
    assert (rows.value >= rows.low).all() and (rows.value <= rows.high).all()


def test_a_contrast_that_may_be_chance_counts_as_none():
    rows = pd.DataFrame(
        [
            ("property", "color", "contrast", 0.3, 0.2),
            ("property", "position", "contrast", 0.1, -0.1),
            ("property", "color", "caption", 0.5, 0.4),
            ("best_head", None, "contrast", 0.4, 0.3),
        ],
        columns=["subject_kind", "property", "measure", "value", "low"],
    )

    assert map_scores.contrast_by_property(rows) == {"color": 0.3, "position": 0.0}
