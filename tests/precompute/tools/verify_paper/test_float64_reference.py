"""The independent float64 computation agrees with the reference implementation and the main computation."""

import pytest
import torch

from precompute import clip
from precompute.method import decomposition, textspan
from precompute.tools.verify_paper import float64_reference
from tests.support import golden
from tests.support.contributions import plan_of
from tests.support.golden import reference_run
from tests.support.towers import small_clip, some_pixels


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_coordinates_are_those_of_the_plan_to_float32_rounding(activation):
    model = small_clip(activation)
    pixels = some_pixels(model, images=6)
    plan = plan_of(model, 2)

    exact = float64_reference.coordinates(
        float64_reference.in_double(model), plan.spaces, [pixels[:4], pixels[4:]]
    )

    found = decomposition.decompose(plan, clip.capture(model, pixels, plan.layers)).head
    assert exact.dtype == torch.float64
    torch.testing.assert_close(exact, found.double(), atol=1e-6, rtol=0)


def test_the_model_itself_stays_in_float32():
    model = small_clip()

    float64_reference.in_double(model)

    assert model.model.visual.proj.dtype == torch.float32


@pytest.mark.parametrize("name", golden.NAMES)
def test_contributions_are_those_of_the_reference_implementation(name, tmp_path):
    model, expected = reference_run(name, tmp_path)
    exact = float64_reference.in_double(model)
    layers = clip.last_layers(model, 2)

    captured = clip.capture(exact, expected["images"].double(), layers)
    found = float64_reference.contributions(clip.vision_weights(exact), captured, layers)

    theirs = expected["head_contribution"][:, list(layers)].double()
    assert float((found - theirs).abs().max()) <= 1e-5 * float(theirs.abs().max())


def test_the_text_of_largest_variance_is_the_first_pick():
    outputs = torch.tensor([[3.0, 0, 1], [-3, 0, 1], [0, 2, 1], [0, -2, 1]], dtype=torch.float64)
    text = torch.tensor([[0, 1.0, 0], [0, 0, 1], [0.9, 0.1, 0], [0.8, 0, 0]], dtype=torch.float64)

    # The second text lies along the mean, not along any variance, so it is never chosen.
    assert float64_reference.picks(outputs, text, 4) == [2, 0]


def test_picks_equal_those_from_the_covariance():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(100, 12, generator=generator, dtype=torch.float64) * torch.logspace(0, -2, 12)
    text = torch.randn(50, 12, generator=generator, dtype=torch.float64)
    centered = outputs - outputs.mean(0)

    found = float64_reference.picks(outputs, text, 12)

    assert found == textspan.textspan(centered.T @ centered / 100, text, k=12).text_index.tolist()
