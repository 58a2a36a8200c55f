"""Controls: random-weights models are added to trained ones, and rotated heads are scored as a model."""

from pathlib import Path

import pytest
import torch

from db import queries
from db.connection import Bundle, open_bundle, query
from db.verify import problems
from precompute import clip, demo
from precompute.inputs import model_specs
from precompute.method import labels, rotation_controls
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from tests.conftest import CONTROL, small_config
from tests.support.paths import TEXTS


@pytest.fixture(scope="module")
def pool_file(tmp_path_factory) -> Path:
    """Every tenth text of the demo pool: more than six texts of each property in either half."""
    lines = (TEXTS / "demo.tsv").read_text(encoding="utf-8").splitlines()
    about, texts = ([line for line in lines if line.startswith("#") == comment] for comment in (True, False))
    path = tmp_path_factory.mktemp("pool") / "tenth.tsv"
    path.write_text("\n".join(about + texts[::10]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bundle(scene_folder, pool_file, tmp_path_factory) -> Bundle:
    """The trained demo model over 40 scenes, with its controls."""
    out = tmp_path_factory.mktemp("controls") / "b"
    return open_bundle(pipeline_run.run(with_controls(scene_folder, pool_file, out)))


def with_controls(scene_folder, pool_file, out: Path, **changes):
    options = {
        "models": (ModelChoice(demo.MODEL_NAME),),
        "controls": True,
        "replicates": 2,
        "layers": 1,
    } | changes
    return small_config(scene_folder, pool_file, out, **options)


def resolved(*names: str) -> list[model_specs.ModelSpec]:
    return [model_specs.resolve(name, clip.catalog()) for name in names]


def test_every_trained_model_is_followed_by_its_control():
    found = model_specs.with_controls(resolved("ViT-B-32/openai", demo.MODEL_NAME))

    assert [spec.name for spec in found] == [
        "ViT-B-32/openai",
        "ViT-B-32/openai-random-0",
        demo.MODEL_NAME,
        CONTROL,
    ]
    assert [spec.control_of for spec in found] == [None, "ViT-B-32/openai", None, demo.MODEL_NAME]


def test_a_control_given_by_name_is_not_added_again_and_has_no_control():
    given = resolved(CONTROL, demo.MODEL_NAME, CONTROL.replace("random-0", "random-7"))

    found = model_specs.with_controls(given)

    assert found == given
    assert [spec.control_of for spec in found] == [demo.MODEL_NAME, None, demo.MODEL_NAME]


def test_controls_of_one_architecture_are_different_networks():
    given = [name for name in demo.MODELS if name.startswith("ViT-emoji-S-16/")]

    found = model_specs.with_controls(resolved(*given))

    assert [spec.seed for spec in found] == [None, 0, None, 1, None, 2, None, 3, None, 4]


def rotations(lead: list[list[float]], carrying_picks: int = 2) -> labels.Leading:
    """Rotations with these leads, [head, rotation]: every label is property 1, property 0 scores 0."""
    values = torch.tensor(lead, dtype=torch.float64)
    score = torch.stack([torch.zeros_like(values), values], dim=-1)
    carrying = torch.full(values.shape, carrying_picks)
    return labels.Leading(torch.ones(values.shape, dtype=torch.long), values, score, carrying)


def test_a_rotation_is_supported_by_its_lead_over_all_other_rotations():
    """
    One head, 40 rotations: the one with the largest lead has p = 1 / 40, the next 2 / 40.
    """
    lead = [float(number) for number in range(40)]
    lead[3], lead[7] = 100.0, 99.0

    found = rotation_controls.supported(rotations([lead]), ("color", "shape"))

    assert found.shape == (1, rotation_controls.ROTATIONS)
    assert found[0].nonzero().flatten().tolist() == [3, 7]  # 1/40 and 2/40 are at most 0.05


def test_a_rotation_that_one_text_labels_is_not_supported():
    lead = [[float(number) for number in range(40)]]

    assert rotation_controls.supported(rotations(lead), ("color", "shape")).sum() == 0
    assert rotation_controls.supported(rotations(lead, 1), ("color", "shape")).sum() == 0
    lead[0][3] = 100.0
    assert rotation_controls.supported(rotations(lead), ("color", "shape")).sum() == 1
    assert rotation_controls.supported(rotations(lead, 1), ("color", "shape")).sum() == 0


def test_fewer_rotations_than_the_limit_are_all_scored():
    assert rotation_controls.supported(rotations([[1.0, 2.0, 3.0]] * 2), ("color", "shape")).shape == (2, 3)


def test_metrics_of_rotations_are_their_mean_and_percentiles():
    """
    Four heads. In rotation 0 all labels differ; in rotation 1 all are the same; in rotation 2 two are.
    """
    label = torch.tensor([[0, 0, 0], [1, 0, 0], [2, 0, 1], [3, 0, 2]])
    ccs = torch.tensor([[5, 0, 5], [5, 0, 5], [5, 0, 0], [5, 0, 0]])
    none = torch.zeros(4, 3, dtype=torch.bool)
    crossed = ccs[:, :, None, None].expand(-1, -1, 2, 2)  # [head, rotation, split, side]

    found = rotation_controls.rotated_metrics(label, ccs, none, crossed, smallest=4)

    by_name = {(row.metric, row.heads_used): row[2:] for row in found}
    assert by_name["entanglement", "all"] == pytest.approx((0.5, 0.025, 0.975))
    assert by_name["text_consistency", "all"] == pytest.approx((0.5, 0.025, 0.975))
    assert by_name["text_consistency_crossfit", "all"] == by_name["text_consistency", "all"]
    assert by_name["ccs_high", "all"] == pytest.approx((2.0, 0.1, 3.9))
    assert by_name["supported_share", "all"] == (0.0, 0.0, 0.0)
    assert by_name["text_consistency", "supported"] == (None, None, None)


def test_a_metric_is_averaged_over_the_rotations_that_have_it():
    label, ccs = torch.zeros(2, 2, dtype=torch.long), torch.tensor([[5, 0], [0, 0]])
    supported = torch.tensor([[True, False], [False, False]])

    found = rotation_controls.rotated_metrics(label, ccs, supported, ccs[:, :, None, None], smallest=2)

    [row] = [row for row in found if (row.metric, row.heads_used) == ("text_consistency", "supported")]
    assert row[2:] == pytest.approx((1.0, 1.0, 1.0))


def test_a_run_adds_the_control_of_a_trained_model(bundle):
    found = queries.models(bundle)

    assert found["model"].tolist() == [demo.MODEL_NAME, CONTROL]
    assert found["is_control"].tolist() == [False, True]
    assert found["control_of"].tolist()[1] == demo.MODEL_NAME
    assert found["control_of"].isna().tolist() == [True, False]
    assert found["weights_sha256"].nunique() == 2
    assert problems(bundle.path) == []


def test_a_run_adds_the_metrics_of_rotated_heads_of_the_trained_model(bundle):
    found = queries.rotated_metrics(bundle).set_index(["metric", "heads_used"])
    own = queries.leaderboard(bundle)
    mine = own[~own["is_control"]].set_index(["metric", "heads_used"])

    assert set(found["model"]) == {demo.MODEL_NAME}
    without = ("mean_spanned_variance", "mean_stability", "coverage")
    assert set(found.index) == {name for name in mine.index if not name[0].startswith(without)}
    assert (found["low"].dropna() <= found["high"].dropna()).all()
    # Chance is the mean over all 19 rotations; all of them are scored here, so both are equal.
    for name in [("entanglement", "all"), ("text_consistency", "all"), ("association_3", "all")]:
        assert found["value"][name] == pytest.approx(mine["chance"][name])


def test_controls_change_nothing_of_the_model_itself(bundle, scene_folder, pool_file, tmp_path):
    plain = open_bundle(
        pipeline_run.run(with_controls(scene_folder, pool_file, tmp_path / "plain", controls=False))
    )

    assert queries.models(plain)["model"].tolist() == [demo.MODEL_NAME]
    assert queries.rotated_metrics(plain).empty
    assert plain.manifest["input_id"] != bundle.manifest["input_id"]
    [key] = plain.model_keys
    for table in ("head", "head_text", "head_label", "head_metric", "model_metric"):
        sql = f"select * from {table} where model_key = $key order by all"
        assert query(plain, sql, {"key": key}).equals(query(bundle, sql, {"key": key})), table
