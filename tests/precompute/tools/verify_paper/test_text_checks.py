"""A sound model passes; wrong weights, passes and numbers fail."""

import torch
from torch.nn.functional import normalize

from precompute.method.types import Pool
from precompute.tools.verify_paper.image_pass import pass_over_images
from precompute.tools.verify_paper.run import identity
from precompute.tools.verify_paper.text_checks import as_in_double, describe_heads, labels
from tests.support.contributions import plan_of
from tests.support.towers import small_clip


def small_pool(d_out):
    generator = torch.Generator().manual_seed(0)
    text = normalize(torch.randn(40, d_out, generator=generator), dim=-1)
    names = tuple(f"text {number}" for number in range(40))
    return Pool("small", "en", None, names, ("any",), torch.ones(40, 1, dtype=torch.bool), 0, 0), text


def statuses(checks):
    return [check.status for check in checks]


def identity_statuses(model, plan, pictures):
    return statuses(identity(pass_over_images(model, plan, pictures, batch_size=5, workers=0)))


def test_a_correct_model_passes(pictures):
    model = small_clip()
    plan = plan_of(model, 2)

    assert identity_statuses(model, plan, pictures) == ["PASS", "PASS"]
    assert statuses(as_in_double(model, plan, pictures, *small_pool(model.d_out))) == ["PASS", "PASS"]


def test_a_wrong_plan_fails(pictures):
    """The heads of the plan are exchanged, so sums, contributions and texts are wrong."""
    model = small_clip()
    plan = plan_of(model, 2)
    damaged = plan._replace(head_map=plan.head_map.roll(1, dims=1))

    assert identity_statuses(model, damaged, pictures) == ["FAIL", "PASS"]
    assert statuses(as_in_double(model, damaged, pictures, *small_pool(model.d_out))) == ["FAIL", "FAIL"]


def test_a_forward_pass_that_is_not_open_clips_fails(pictures):
    model = small_clip()
    model.model.visual.register_forward_hook(lambda _, __, output: output + 0.01)

    assert identity_statuses(model, plan_of(model, 2), pictures) == ["PASS", "FAIL"]


def test_nan_fails(pictures):
    model = small_clip()
    plan = plan_of(model, 2)
    damaged = plan._replace(out_beta=plan.out_beta * torch.nan)

    assert identity_statuses(model, damaged, pictures) == ["FAIL", "FAIL"]


def described_heads():
    """All heads of a small model, each with all texts of the small pool."""
    model = small_clip()
    spaces = plan_of(model, 2).spaces
    rank = spaces.basis.shape[2]
    covariance = torch.eye(rank).expand(*spaces.basis.shape[:2], rank, rank)
    return describe_heads(covariance, spaces, *small_pool(model.d_out))


def test_unknown_released_words_are_counted_and_no_error():
    head_texts = described_heads()
    first, *others = head_texts.lists
    released = {first: "Any", **dict.fromkeys(others, "Goatlike things")}

    agreement, _ = labels(head_texts, released, None, {})

    assert f"1 of {len(released)} agree" in agreement.note
    assert f"{len(others)} heads have a released word without a line: goatlike things" in agreement.note


def test_released_words_of_no_property_alone_are_no_failure():
    head_texts = described_heads()

    (agreement,) = labels(head_texts, dict.fromkeys(head_texts.lists, "Ziegen"), None, {})

    assert agreement.status == "SKIPPED"
    assert "ziegen" in agreement.note
