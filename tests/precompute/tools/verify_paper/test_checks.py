"""When a figure of `verify-paper` passes, and that each kind of check can fail."""

import math

import pytest
import torch
from torch import tensor

from precompute.tools.verify_paper import checks
from precompute.tools.verify_paper.checks import ListDifference, Step


@pytest.mark.parametrize(
    ("ours", "status"), [(1.0, "PASS"), (2.0, "PASS"), (0.9, "FAIL"), (2.1, "FAIL"), (math.nan, "FAIL")]
)
def test_a_figure_passes_within_its_bounds_and_nan_fails(ours, status):
    assert checks.check("x", ours, least=1.0, most=2.0).status == status


def test_skipped_and_noted_checks_neither_pass_nor_fail():
    step = Step("s", [checks.skipped("a", "no A given"), checks.noted("b", 3.0, "nothing")], 1.0)

    assert [result.status for result in step.checks] == ["SKIPPED", "NOTED"]
    assert not checks.failed([step])
    assert checks.failed([step, Step("t", [checks.check("c", 2.0, most=1.0)], 1.0)])


def test_a_line_has_our_figure_the_reference_the_bounds_and_the_note():
    results = [
        checks.check("accuracy", 70.125, reference=70.23, least=68.5, most=72.0, note="as published"),
        checks.check("error", 2e-5, most=1e-5),
        checks.skipped("overlap", "no TEXTSPAN given"),
    ]

    assert checks.lines(Step("step", results, 61.4, "9 images")).splitlines() == [
        "step (9 images, 61 s)",
        "  PASS    accuracy | ours 70.12 | reference 70.23 | passes from 68.50 to 72 | as published",
        "  FAIL    error | ours 2.0e-05 | passes up to 1.0e-05",
        "  SKIPPED overlap | no TEXTSPAN given",
    ]
    assert checks.summary([Step("step", results, 1)]) == "1 passed, 1 failed, 1 skipped, 0 noted"


def test_picks_must_be_equal_up_to_the_first_tie():
    margin = [0.1, 1e-6, 0.1]

    assert checks.compare_picks([1, 2, 3], [1, 2, 3], margin, head="h") == ListDifference(3, False, "")
    assert checks.compare_picks([1, 2, 3], [1, 5, 6], margin, head="h") == ListDifference(1, True, "")


@pytest.mark.parametrize("theirs", [[4, 2, 3], []])
def test_a_different_pick_with_a_margin_fails(theirs):
    difference = checks.compare_picks([1, 2, 3], theirs, [0.1, 1e-6, 0.1], head="L3.H1")

    assert difference.wrong == "L3.H1 pick 1, margin 1.0e-01"
    assert checks.texts_in_double([difference, ListDifference(3, False, "")]).status == "FAIL"
    assert checks.texts_in_double([ListDifference(3, True, "")]).status == "PASS"


@pytest.mark.parametrize(("ours", "status"), [(0.75, "PASS"), (0.65, "FAIL"), (0.05, "FAIL")])
def test_an_overlap_must_be_close_to_that_of_a_rerun(ours, status):
    result = checks.overlap("o", ours, rerun=0.8, other=0.1, worst="L3.H1 0.20")

    assert (result.status, result.least) == (status, pytest.approx(0.7))


def test_an_overlap_that_could_not_fail_is_only_noted():
    assert checks.overlap("o", 0.9, rerun=0.3, other=0.15, worst="").status == "NOTED"


def test_the_permutation_test_distinguishes_agreement_from_chance():
    diagonal = torch.eye(6, dtype=torch.bool)
    shifted = diagonal.roll(1, dims=0)

    # All six agree in one of 720 permutations. None agrees when shifted, so every permutation has as many.
    assert checks.permutation_p_value(diagonal) == pytest.approx(1 / 720, abs=2e-3)
    assert checks.permutation_p_value(shifted) == 1.0


def test_significantly_fewer_agreeing_labels_fail():
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
