"""When a figure of `verify-paper` passes, and that each kind of check can fail."""

import argparse
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import tensor

from precompute import clip
from precompute.inputs import model_specs
from precompute.inputs.images import ImageFile
from precompute.method.types import Decomposition
from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper import (
    checks,
    classes,
    published_figures,
    text_overlap,
)
from precompute.tools.verify_paper.accuracy_checks import ablation, spread
from precompute.tools.verify_paper.checks import Step, Unequal
from precompute.tools.verify_paper.image_pass import PassResult, split
from precompute.tools.verify_paper.options import VerifyTask, add_options, verify_task
from precompute.validation import segmentation


@pytest.mark.parametrize(
    ("ours", "status"), [(1.0, "PASS"), (2.0, "PASS"), (0.9, "FAIL"), (2.1, "FAIL"), (math.nan, "FAIL")]
)
def test_a_figure_passes_within_its_bounds_and_never_if_it_is_no_number(ours, status):
    assert checks.check("x", ours, least=1.0, most=2.0).status == status


def test_what_could_not_run_neither_passes_nor_fails():
    step = Step("s", [checks.skipped("a", "no A given"), checks.noted("b", 3.0, "nothing")], 1.0)

    assert [one.status for one in step.checks] == ["SKIPPED", "NOTED"]
    assert not checks.failed([step])
    assert checks.failed([step, Step("t", [checks.check("c", 2.0, most=1.0)], 1.0)])


def test_a_line_says_ours_theirs_what_passes_and_why():
    made = [
        checks.check("accuracy", 70.125, reference=70.23, least=68.5, most=72.0, note="as published"),
        checks.check("error", 2e-5, most=1e-5),
        checks.skipped("overlap", "no TEXTSPAN given"),
    ]

    assert checks.lines(Step("step", made, 61.4, "9 images")).splitlines() == [
        "step (9 images, 61 s)",
        "  PASS    accuracy | ours 70.12 | reference 70.23 | passes from 68.50 to 72 | as published",
        "  FAIL    error | ours 2.0e-05 | passes up to 1.0e-05",
        "  SKIPPED overlap | no TEXTSPAN given",
    ]
    assert checks.summary([Step("step", made, 1)]) == "1 passed, 1 failed, 1 skipped, 0 noted"


def test_picks_must_be_equal_up_to_the_first_tie():
    margin = [0.1, 1e-6, 0.1]

    assert checks.unequal([1, 2, 3], [1, 2, 3], margin, head="h") == Unequal(3, False, "")
    assert checks.unequal([1, 2, 3], [1, 5, 6], margin, head="h") == Unequal(1, True, "")


@pytest.mark.parametrize("theirs", [[4, 2, 3], []])
def test_a_pick_with_a_margin_that_is_another_one_fails(theirs):
    found = checks.unequal([1, 2, 3], theirs, [0.1, 1e-6, 0.1], head="L3.H1")

    assert found.wrong == "L3.H1 pick 1, margin 1.0e-01"
    assert checks.texts_in_double([found, Unequal(3, False, "")]).status == "FAIL"
    assert checks.texts_in_double([Unequal(3, True, "")]).status == "PASS"


@pytest.mark.parametrize(("ours", "status"), [(0.75, "PASS"), (0.65, "FAIL"), (0.05, "FAIL")])
def test_an_overlap_must_come_near_to_that_of_a_rerun(ours, status):
    found = checks.overlap("o", ours, rerun=0.8, other=0.1, worst="L3.H1 0.20")

    assert (found.status, found.least) == (status, pytest.approx(0.7))


def test_an_overlap_that_could_not_fail_is_only_noted():
    assert checks.overlap("o", 0.9, rerun=0.3, other=0.15, worst="").status == "NOTED"


def test_labels_that_agree_no_more_than_if_they_were_dealt_are_told_apart():
    every = torch.eye(6, dtype=torch.bool)
    shifted = every.roll(1, dims=0)

    # All six agree in one of 720 deals; none agrees in the shifted ones, as in any deal.
    assert checks.permutation_p_value(every) == pytest.approx(1 / 720, abs=2e-3)
    assert checks.permutation_p_value(shifted) == 1.0


def test_fewer_agreeing_labels_fail_where_chance_does_not_explain_it():
    lost = [(False, True)] * 6 + [(True, True)] * 10

    assert checks.sign_test(6, 0) == 1 / 64
    assert checks.sign_test_check("labels", lost).status == "FAIL"
    assert checks.sign_test_check("labels", [*lost, *[(True, False)] * 4]).status == "PASS"
    assert checks.sign_test_check("labels", [(True, True)]).ours == 1.0


def test_errors_of_accuracies_are_binomial_and_of_losses_paired():
    right = tensor([True] * 75 + [False] * 25)
    same_but_four = right.clone()
    same_but_four[:4] = False

    assert checks.standard_error(right) == pytest.approx(100 * math.sqrt(0.75 * 0.25 / 100))
    points, error = checks.loss(right, same_but_four)
    assert (points, error) == (pytest.approx(4), pytest.approx(100 * math.sqrt(0.04 * 0.96 / 100)))


def test_overlap_counts_texts_whatever_their_order():
    ours = {(0, 0): ["a", "b", "c"], (0, 1): ["a"], (1, 0): ["x"]}
    theirs = {(0, 0): ["c", "a", "z", "b"], (0, 1): ["a", "b"]}

    assert text_overlap.shares(ours, theirs, 2).tolist() == [0.5, 0.5]
    assert text_overlap.shares(ours, theirs, 3).tolist() == [pytest.approx(2 / 3), 0.5]
    assert text_overlap.of_other_heads(theirs) == {(0, 0): ["a", "b"], (0, 1): ["c", "a", "z", "b"]}


def test_surplus_directions_change_late_texts_and_never_the_first():
    generator = torch.Generator().manual_seed(0)
    text = torch.nn.functional.normalize(torch.randn(300, 100, generator=generator), dim=-1)
    basis = torch.linalg.qr(torch.randn(100, 20, generator=generator))[0].T.contiguous()
    covariance = torch.diag(torch.linspace(1, 0.1, 20)).double()

    reruns = [text_overlap.rerun(covariance, basis, 20, text, k=20, seed=seed) for seed in (0, 1)]

    assert reruns[0][0] == reruns[1][0]
    assert reruns[0] != reruns[1]
    assert reruns[0] == text_overlap.rerun(covariance, basis, 20, text, k=20, seed=0)


FIGURES = (
    "m\taccuracy\t90\t90\ta paper\tprimary\t-\nm\tloss without MLPs\t1\t3\ta reader\tsecondary\trange only\n"
)


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "figures.tsv"
    path.write_text("# a comment\n" + FIGURES)
    return path


def test_figures_are_of_one_model_and_say_where_they_are_from(published):
    found = published_figures.load("m", published)

    assert found["accuracy"].said == "a paper (primary)"
    assert found["loss without MLPs"].said == "a reader (secondary); range only"
    assert published_figures.load("n", published) == {}


@pytest.mark.parametrize(
    ("old", "new"), [("90\t90", "90"), ("90\t90", "90\tmany"), ("primary", "heard"), ("accuracy", "beauty")]
)
def test_a_line_of_figures_that_is_none_is_named(published, old, new):
    published.write_text(FIGURES.replace(old, new, 1))

    with pytest.raises(ConfigError, match="figures.tsv, line 1"):
        published_figures.load("m", published)


def test_the_published_figures_are_of_models_of_the_study_and_segmentation_is_said_once():
    for name in model_specs.STUDY:
        assert published_figures.load(name)["accuracy"].read_from == "primary"
    found = published_figures.load("ViT-B-16/laion2b_s34b_b88k")
    assert tuple(found[name].low for name in published_figures.SEGMENTATION) == (75.21, 54.50, 81.61)
    assert (found["loss without MLPs"].low, found["loss without MLPs"].high) == (1, 3)


def seen(right_without_early, right_without_mlps):
    """200 images of two classes, all right, of which so many stay right without early layers or MLPs.

    Late attention points to the class; where it does not, early layers or MLPs outweigh it.
    """
    own = torch.arange(200) % 2
    sign = (1.0 - 2 * own)[:, None]
    early, mlps = torch.zeros(200, 2), torch.zeros(200, 2)
    late = sign * tensor([1.0, -1.0])
    late[right_without_early:] *= -1
    early[right_without_early:] = -2 * late[right_without_early:]
    late[: 200 - right_without_mlps] *= -1
    mlps[: 200 - right_without_mlps] = -2 * late[: 200 - right_without_mlps]
    whole = early + mlps + late
    return own, PassResult([], whole, early, mlps, None, 0.0, 0.0)


def test_accuracy_and_its_losses_are_those_of_hand_made_parts(published):
    own, parts = seen(right_without_early=190, right_without_mlps=196)

    found = ablation(parts, own, torch.eye(2), published_figures.load("m", published))

    assert [one.ours for one in found] == pytest.approx([100, 2, 5])
    assert [one.status for one in found] == ["FAIL", "PASS", "PASS"]  # published: 90, and 1 to 3


def test_early_layers_that_cost_more_than_late_ones_fail(published):
    own, parts = seen(right_without_early=60, right_without_mlps=200)

    assert ablation(parts, own, torch.eye(2), {})[2].status == "FAIL"


def test_a_model_that_is_never_right_does_not_pass_for_losing_nothing():
    own, parts = seen(right_without_early=200, right_without_mlps=200)

    found = ablation(parts, 1 - own, torch.eye(2), {})

    assert [one.ours for one in found[:2]] == [0, 0]
    assert found[2].status == "FAIL"


def test_published_accuracy_is_compared_over_all_classes_only(published):
    own, parts = seen(right_without_early=190, right_without_mlps=196)

    found = ablation(parts, own, torch.eye(3, 2), published_figures.load("m", published))

    assert [one.status for one in found] == ["NOTED", "NOTED", "PASS"]
    assert "not of all 3 classes" in found[0].note


def test_images_of_no_class_are_left_out():
    own, parts = seen(right_without_early=190, right_without_mlps=200)
    own[:100] = classes.NONE

    assert ablation(parts, own, torch.eye(2), {})[2].ours == pytest.approx(10)


def test_input_and_mlps_are_told_from_attention():
    """Components in the order input, attention and MLP of each earlier layer; then MLPs of later ones."""
    earlier = tensor([[[1.0], [10.0], [2.0], [20.0], [4.0]]])
    decomposed = Decomposition(None, None, tensor([[[8.0], [16.0]]]), None, None)

    early, mlps = split(decomposed, earlier)

    assert (early.item(), mlps.item()) == (30, 31)


def test_the_error_of_segmentation_shrinks_with_pictures():
    rng = np.random.default_rng(0)
    answers = [
        segmentation.Answer(int(right), 100, tensor([right, 5]), tensor([100, 50]), right / 100)
        for right in rng.integers(40, 100, 64)
    ]

    few, many = spread(answers[:16]), spread(answers)

    assert many[0] == pytest.approx(np.std([one.right for one in answers]) / 100 / 8, rel=0.3)
    assert all(large > small for large, small in zip(few, many, strict=True))


def test_imagenets_folders_are_ids_or_names_of_one_class():
    known = classes.imagenet()
    files = {
        folder: ImageFile(None, f"val/{folder}/1.jpg")
        for folder in ("n01443537", "goldfish", "great_white_shark", "sunglasses", "holiday")
    }

    found = classes.of_images(files, list(files), known)

    assert found.tolist() == [1, 1, 2, classes.NONE, classes.NONE]  # two classes are sunglasses
    assert len(known.prompts) == 1000 and len({known.place[one] for one in known.place}) == 1000


def test_ids_stand_in_the_order_of_open_clips_names():
    """Each of ten ids, known by heart of WordNet, beside the name that open_clip has in its place."""
    known = {"n01440764": "tench", "n02099601": "Golden Retriever", "n03977966": "police van"}
    known |= {"n07747607": "orange", "n15075141": "toilet paper", "n02123394": "Persian cat"}
    place = classes.imagenet().place

    assert {one: clip.imagenet_names()[place[one]] for one in known} == known


def test_own_classes_have_as_many_prompts_as_they_like(tmp_path):
    path = tmp_path / "classes.tsv"
    path.write_text("# folder\tprompt\nRed_Things\ta red thing\nblue\ta blue thing\nred things\tred\n")

    assert classes.load(path) == (
        {"red things": 0, "blue": 1},
        [["a red thing", "red"], ["a blue thing"]],
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [("red a red thing\n", "line 1: write a folder name, a tab"), ("a\tb\n", "1 classes")],
)
def test_classes_that_are_none_are_refused(tmp_path, content, says):
    path = tmp_path / "classes.tsv"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says):
        classes.load(path)


def asked(*arguments: str) -> VerifyTask:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return verify_task(parser.parse_args(["--images", "val", *arguments]))


def test_the_model_of_the_released_texts_is_the_default():
    assert asked().model.name == "ViT-B-16/laion2b_s34b_b88k"
    assert asked("--limit", "all").limit is None
    assert asked("--model", "a/b", "--checkpoint", "x.pt").model.checkpoint.name == "x.pt"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--textspan", "a.csv"], "--textspan needs the pool"),
        (["--labels", "a.csv"], "--labels needs the pool"),
        (["--limit", "5"], "--limit 5: give 20 or more"),
        (["--json", "nowhere/out.json"], "no folder .*nowhere"),
    ],
)
def test_what_cannot_be_checked_is_refused_at_once(arguments, says):
    with pytest.raises(ConfigError, match=says):
        asked(*arguments)


def test_the_command_line_loads_no_torch():
    code = "import sys, precompute.tools.verify_paper.options; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
