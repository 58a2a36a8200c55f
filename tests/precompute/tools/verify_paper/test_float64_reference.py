"""The second way to contributions and texts, in float64, gives what the reference and the first way give."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition, textspan
from precompute.method.types import Pool
from precompute.tools.verify_paper import float64_reference
from precompute.tools.verify_paper.image_pass import pass_over_images
from precompute.tools.verify_paper.run import identity
from precompute.tools.verify_paper.text_checks import as_in_double
from tests.precompute.method.test_decomposition import reference_run
from tests.support import golden
from tests.support.towers import small_clip, some_pixels


def plan_of(model, count=None):
    weights = clip.vision_weights(model)
    return decomposition.plan(weights, decomposition.head_spaces(weights, clip.last_layers(model, count)))


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


def test_the_text_along_which_outputs_vary_most_comes_first_and_leaves_the_rest():
    outputs = torch.tensor([[3.0, 0, 1], [-3, 0, 1], [0, 2, 1], [0, -2, 1]], dtype=torch.float64)
    text = torch.tensor([[0, 1.0, 0], [0, 0, 1], [0.9, 0.1, 0], [0.8, 0, 0]], dtype=torch.float64)

    # The mean is no variance: the second text is never chosen. Two texts describe what varies.
    assert float64_reference.picks(outputs, text, 4) == [2, 0]


def test_picks_are_those_of_the_walk_over_moments():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(100, 12, generator=generator, dtype=torch.float64) * torch.logspace(0, -2, 12)
    text = torch.randn(50, 12, generator=generator, dtype=torch.float64)
    centered = outputs - outputs.mean(0)

    found = float64_reference.picks(outputs, text, 12)

    assert found == textspan.textspan(centered.T @ centered / 100, text, k=12).text_index.tolist()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """24 pictures of noise."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for number in range(24):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)).save(folder / f"{number}.png")
    files = images.gather(folder).files
    return images.distinct(files, images.scan(files, workers=0))


def small_pool(d_out):
    generator = torch.Generator().manual_seed(0)
    text = normalize(torch.randn(40, d_out, generator=generator), dim=-1)
    names = tuple(f"text {number}" for number in range(40))
    return Pool("small", "en", None, names, ("any",), torch.ones(40, 1, dtype=torch.bool), 0, 0), text


def statuses(checks):
    return [one.status for one in checks]


def identity_statuses(model, plan, pictures):
    return statuses(identity(pass_over_images(model, plan, pictures, batch_size=5, workers=0)))


def test_a_sound_model_passes(pictures):
    model = small_clip()
    plan = plan_of(model, 2)

    assert identity_statuses(model, plan, pictures) == ["PASS", "PASS"]
    assert statuses(as_in_double(model, plan, pictures, *small_pool(model.d_out))) == ["PASS", "PASS"]


def test_weights_that_are_multiplied_out_wrongly_fail(pictures):
    """One head of the plan stands in for another: sums, contributions and texts are wrong."""
    model = small_clip()
    plan = plan_of(model, 2)
    damaged = plan._replace(head_map=plan.head_map.roll(1, dims=1))

    assert identity_statuses(model, damaged, pictures) == ["FAIL", "PASS"]
    assert statuses(as_in_double(model, damaged, pictures, *small_pool(model.d_out))) == ["FAIL", "FAIL"]


def test_a_forward_pass_that_is_not_open_clips_fails(pictures):
    model = small_clip()
    model.model.visual.register_forward_hook(lambda _, __, output: output + 0.01)

    assert identity_statuses(model, plan_of(model, 2), pictures) == ["PASS", "FAIL"]


def test_what_is_no_number_fails(pictures):
    model = small_clip()
    plan = plan_of(model, 2)
    damaged = plan._replace(out_beta=plan.out_beta * torch.nan)

    assert identity_statuses(model, damaged, pictures) == ["FAIL", "FAIL"]


def test_batches_leave_no_trace(pictures):
    model = small_clip()
    plan = plan_of(model, 2)

    few, many = (pass_over_images(model, plan, pictures, batch_size=size, workers=0) for size in (3, 24))

    assert few.image_id == many.image_id == list(pictures)
    torch.testing.assert_close(few.halves.second, many.halves.second, atol=1e-8, rtol=1e-5)
    assert few.halves.image_count.sum() == 24 and (few.halves.image_count > 0).all()
