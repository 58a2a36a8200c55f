"""All contributions sum to the image embedding; each equals that of the reference implementation."""

import pytest
import torch
from torch import tensor
from torch.nn.functional import normalize

from precompute import clip
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.method.types import Captured, VisionWeights
from tests.support import golden
from tests.support.contributions import contributions, decompose_by_token
from tests.support.golden import reference_run
from tests.support.towers import small_clip, some_pixels


def decompose_pixels(model, pixels, count=None):
    """Head spaces and decomposition of the last `count` layers."""
    weights, layers = clip.vision_weights(model), clip.last_layers(model, count)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    return plan.spaces, decomposition.decompose(plan, clip.capture(model, pixels, layers))


def earlier_parts(model, pixels, count):
    """Contributions before the last `count` layers: the input, then attention and MLP of each layer."""
    weights, layers = clip.vision_weights(model), clip.last_layers(model, count)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    return decomposition.earlier(plan, clip.capture(model, pixels, layers))


def in_d_out(coordinates, spaces):
    """Coordinates [image, layer, head, ..., rank] mapped to d_out."""
    return torch.einsum("ilh...r,lhrp->ilh...p", coordinates, spaces.basis)


def assert_equal_to_largest(actual, expected, tolerance=1e-5):
    """Asserts equality up to `tolerance` times the largest entry."""
    assert actual.shape == expected.shape
    assert float((actual - expected).abs().max()) <= tolerance * float(expected.abs().max())


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
@pytest.mark.parametrize("count", [1, 2, None])
def test_contributions_sum_to_the_embedding_that_open_clip_computes(activation, count):
    model = small_clip(activation)
    pixels = some_pixels(model)

    spaces, parts = decompose_pixels(model, pixels, count)

    expected = normalize(clip.encode_image(model, pixels), dim=-1)
    assert_equal_to_largest(contributions(parts, spaces).sum(dim=1), expected)
    assert_equal_to_largest(parts.embedding, expected)
    assert float(parts.sum_error.max()) < 1e-6


@pytest.mark.parametrize(
    "vision",
    [
        {"ls_init_value": 0.1},
        {"no_ln_pre": True},
        {"block_type": "custom"},
        {"block_type": "custom", "ls_init_value": 0.1},
        {"layers": 1},
        {"head_width": 24},
        {"patch_dropout": 0.5},
        {"pos_embed_type": "sin_cos_2d"},
        {"norm_kwargs": {"eps": 0.1}},
    ],
    ids=str,
)
def test_every_supported_variant_is_decomposed_exactly(vision):
    model = small_clip(**vision)
    pixels = some_pixels(model)

    spaces, parts = decompose_pixels(model, pixels)

    assert_equal_to_largest(parts.embedding, normalize(clip.encode_image(model, pixels), dim=-1))
    assert_equal_to_largest(contributions(parts, spaces).sum(dim=1), parts.embedding)


def test_the_parts_of_a_model_small_enough_to_check_by_hand():
    """
    One layer, two heads of width one, two channels. Everything lies along (1, -1): the heads write 2 and -1,
    the MLP and the input 1 each; so the mean is 0, the deviation 3, the embedding (1, -1).
    """
    along = tensor([1.0, -1.0])
    weights = VisionWeights(
        out_weight=torch.stack([along, -along]).view(1, 2, 1, 2),
        out_bias=torch.zeros(1, 2),
        ln_weight=torch.ones(2),
        ln_bias=torch.zeros(2),
        ln_eps=0.0,
        projection=torch.eye(2),
    )
    captured = Captured(
        head=tensor([2.0, 1.0]).view(1, 1, 2, 1),
        mlp=along.view(1, 1, 2),
        early=along.view(1, 2),
        earlier=along.view(1, 1, 2),
        final=3 * along.view(1, 2),
    )

    spaces = decomposition.head_spaces(weights, (0,))
    parts = decomposition.decompose(decomposition.plan(weights, spaces), captured)

    early, first, second, mlp = contributions(parts, spaces)[0]
    unit = along / 2**0.5
    torch.testing.assert_close(parts.embedding[0], unit)
    torch.testing.assert_close(first, unit * 2 / 3)
    torch.testing.assert_close(second, unit * -1 / 3)
    torch.testing.assert_close(mlp, unit / 3)
    torch.testing.assert_close(early, unit / 3)


@pytest.mark.parametrize("count", [1, 2, None])
@pytest.mark.parametrize("name", golden.NAMES)
def test_equals_the_reference_implementation(name, count, tmp_path):
    model, expected = reference_run(name, tmp_path)
    layers = list(clip.last_layers(model, count))

    spaces, parts = decompose_pixels(model, expected["images"], count)

    before = expected["head_contribution"][:, : layers[0]].sum(dim=(1, 2))
    before = before + expected["mlp_contribution"][:, : layers[0] + 1].sum(dim=1)
    mlp = expected["mlp_contribution"][:, 1:][:, layers]
    assert_equal_to_largest(in_d_out(parts.head, spaces), expected["head_contribution"][:, layers])
    assert_equal_to_largest(parts.mlp, mlp)
    assert_equal_to_largest(parts.early, before)
    assert_equal_to_largest(parts.embedding, normalize(expected["embedding"], dim=-1))


@pytest.mark.parametrize("count", [1, 2, None])
@pytest.mark.parametrize("name", golden.NAMES)
def test_earlier_layers_are_those_of_the_reference_implementation(name, count, tmp_path):
    """
    The reference decomposes them by head, and heads sum to a layer's attention. Its first MLP is the input.
    """
    model, expected = reference_run(name, tmp_path)
    first = clip.last_layers(model, count)[0]

    earlier = earlier_parts(model, expected["images"], count)

    assert earlier.shape[1] == 1 + 2 * first
    attention = expected["head_contribution"][:, :first].sum(dim=2)
    for component in range(first):
        assert_equal_to_largest(earlier[:, 1 + 2 * component], attention[:, component])
    assert_equal_to_largest(earlier[:, 0::2], expected["mlp_contribution"][:, : first + 1])


@pytest.mark.parametrize("name", golden.NAMES)
def test_equals_the_reference_implementation_token_by_token(name, tmp_path):
    model, expected = reference_run(name, tmp_path)
    theirs = expected["token_contribution"].transpose(2, 3)  # [image, layer, head, token, d_out]

    spaces, _, token = decompose_by_token(model, expected["images"][: len(theirs)])

    assert_equal_to_largest(in_d_out(token, spaces), theirs)


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.1}, {"block_type": "custom"}], ids=str)
def test_token_coordinates_sum_to_the_coordinates_of_the_head(vision):
    model = small_clip(**vision)

    _, parts, token = decompose_by_token(model, some_pixels(model), count=2)

    assert token.shape == (5, 2, 3, 1 + 4, parts.head.shape[-1])
    assert_equal_to_largest(token.sum(dim=3), parts.head, tolerance=1e-6)


def test_decomposition_by_token_gives_the_same_parts():
    model = small_clip()
    pixels = some_pixels(model)

    _, parts = decompose_pixels(model, pixels, 2)
    _, same, _ = decompose_by_token(model, pixels, 2)

    assert all(map(torch.equal, parts, same))


def test_layer_scale_is_folded_into_what_the_heads_write():
    """
    Multiplying the output projections by LayerScale gives the same model without LayerScale.
    """
    scaled, plain = small_clip(ls_init_value=0.1), small_clip()
    state = {key: value for key, value in scaled.model.state_dict().items() if ".ls_" not in key}
    for layer, block in enumerate(scaled.model.visual.transformer.resblocks):
        for scale, projection in [(block.ls_1.gamma, "attn.out_proj"), (block.ls_2.gamma, "mlp.c_proj")]:
            name = f"visual.transformer.resblocks.{layer}.{projection}"
            state[f"{name}.weight"] = state[f"{name}.weight"] * scale[:, None]
            state[f"{name}.bias"] = state[f"{name}.bias"] * scale
    plain.model.load_state_dict(state)
    pixels = some_pixels(plain)

    expected = contributions(*reversed(decompose_pixels(plain, pixels)))
    actual = contributions(*reversed(decompose_pixels(scaled, pixels)))

    assert_equal_to_largest(actual, expected)


def test_what_enters_the_first_layer_is_the_sum_of_what_was_written_before_it():
    model = small_clip()
    pixels = some_pixels(model)

    spaces, whole = decompose_pixels(model, pixels)
    _, last = decompose_pixels(model, pixels, count=1)

    earlier = contributions(whole, spaces)[:, : 1 + 2 * model.heads].sum(dim=1)
    assert_equal_to_largest(last.early, earlier + whole.mlp[:, :2].sum(dim=1))


VARIANTS = [{}, {"ls_init_value": 0.1}, {"no_ln_pre": True}, {"block_type": "custom"}, {"layers": 1}]


@pytest.mark.parametrize("count", [1, None])
@pytest.mark.parametrize("vision", VARIANTS, ids=str)
def test_early_is_the_sum_of_input_attention_and_mlps_before(vision, count):
    model = small_clip(**vision)
    pixels = some_pixels(model)

    _, parts = decompose_pixels(model, pixels, count)

    assert_equal_to_largest(earlier_parts(model, pixels, count).sum(dim=1), parts.early)


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.1}, {"no_ln_pre": True}], ids=str)
def test_an_earlier_layer_does_not_depend_on_the_number_of_decomposed_layers(vision):
    """
    A decomposed layer has heads and an MLP, an earlier layer attention and an MLP; both have the input.
    """
    model = small_clip(**vision)
    pixels = some_pixels(model)

    spaces, whole = decompose_pixels(model, pixels)
    earlier = earlier_parts(model, pixels, count=1)

    assert_equal_to_largest(earlier[:, :1], earlier_parts(model, pixels, count=None))
    assert_equal_to_largest(earlier[:, 1::2], in_d_out(whole.head, spaces)[:, :2].sum(dim=2))
    assert_equal_to_largest(earlier[:, 2::2], whole.mlp[:, :2])


def test_coordinates_lose_nothing():
    """
    Compares with the formula of the method, head by head in d_out, in float64.
    """
    model = small_clip()
    pixels = some_pixels(model)
    layers = clip.last_layers(model, None)
    captured, w = clip.capture(model, pixels, layers), clip.vision_weights(model)
    final = captured.final.double()
    mean, deviation = final.mean(1)[:, None], (final.var(1, correction=0) + w.ln_eps).sqrt()[:, None]
    length = clip.encode_image(model, pixels).double().norm(dim=1)[:, None]
    share = 1 / (model.heads * (2 * model.layers + 1))

    spaces, parts = decompose_pixels(model, pixels)

    for layer in layers:
        for head in range(model.heads):
            written = captured.head[:, layer, head].double() @ w.out_weight[layer, head].double()
            written = written + w.out_bias[layer] / model.heads - mean * share
            written = written * w.ln_weight / deviation + w.ln_bias * share
            expected = (written @ w.projection.double() / length).float()
            assert_equal_to_largest(in_d_out(parts.head, spaces)[:, layer, head], expected)


def test_inner_products_are_those_of_the_contributions():
    model = small_clip()
    spaces, parts = decompose_pixels(model, some_pixels(model), 1)
    contribution, y = in_d_out(parts.head, spaces)[:, 0, 2], parts.head[:, 0, 2]
    text = normalize(torch.randn(4, model.d_out, generator=torch.Generator().manual_seed(3)), dim=1)

    assert_equal_to_largest(y @ y.T, contribution @ contribution.T)
    assert_equal_to_largest(y @ (text @ spaces.basis[0, 2].T).T, contribution @ text.T)


def random_weights(d_head=4, d_model=24, d_out=20, **changes):
    """Two layers of three heads."""
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "out_weight": (2, 3, d_head, d_model),
        "out_bias": (2, d_model),
        "ln_weight": (d_model,),
        "ln_bias": (d_model,),
        "projection": (d_model, d_out),
    }
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return VisionWeights(ln_eps=1e-5, **(tensors | changes))


def test_a_basis_is_orthonormal_up_to_its_rank_and_zero_after_it():
    spaces = decomposition.head_spaces(random_weights(), (0, 1))

    assert spaces.rank.unique().tolist() == [4 + 3]
    assert spaces.basis.shape == (2, 3, 8, 20)
    expected = torch.diag(tensor([1.0] * 7 + [0.0])).expand(2, 3, 8, 8)
    torch.testing.assert_close(spaces.basis @ spaces.basis.mT, expected, atol=1e-6, rtol=0)


def test_directions_a_head_does_not_have_take_no_rank():
    """
    Without biases, only the direction of gamma adds to those of the output weights.
    """
    spaces = decomposition.head_spaces(
        random_weights(out_bias=torch.zeros(2, 24), ln_bias=torch.zeros(24)), (1,)
    )

    assert spaces.rank.tolist() == [[5, 5, 5]]


def test_a_head_that_writes_nothing_keeps_the_directions_it_shares():
    weights = random_weights()
    weights.out_weight[1, 0] = 0

    spaces = decomposition.head_spaces(weights, (1,))

    assert spaces.rank.tolist() == [[3, 7, 7]]


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_a_direction_is_kept_however_small_or_large_it_is_beside_the_others(size):
    weights = random_weights()
    weights = weights._replace(out_bias=weights.out_bias * size)
    direction = weights.out_bias[1].double() * weights.ln_weight @ weights.projection.double()
    direction = direction / direction.norm()

    basis = decomposition.head_spaces(weights, (1,)).basis[0, 0].double()

    missed = direction - direction @ basis.mT @ basis
    assert float(missed.abs().max()) < 1e-6


def test_a_space_cannot_have_more_directions_than_d_out():
    spaces = decomposition.head_spaces(random_weights(d_head=16, d_out=12), (0,))

    assert spaces.rank.tolist() == [[12, 12, 12]]
    assert spaces.basis.shape == (1, 3, 16, 12)


def test_the_basis_has_one_orientation():
    basis = decomposition.head_spaces(random_weights(), (0, 1)).basis[..., :7, :]

    assert (basis.gather(-1, basis.abs().argmax(-1, keepdim=True)) > 0).all()


def test_images_do_not_depend_on_their_batch():
    model = small_clip()
    pixels = some_pixels(model)

    _, together = decompose_pixels(model, pixels)
    _, alone = decompose_pixels(model, pixels[3:4])

    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one[3:4], other, atol=1e-6, rtol=0)


def check_true_architecture(name, count):
    model = clip.load(model_specs.random_control(model_specs.resolve(name, clip.catalog())))
    pixels = some_pixels(model, images=2)

    spaces, parts, token = decompose_by_token(model, pixels, count)

    expected = normalize(clip.encode_image(model, pixels), dim=-1)
    assert_equal_to_largest(parts.embedding, expected)
    assert_equal_to_largest(contributions(parts, spaces).sum(dim=1), expected)
    assert_equal_to_largest(token.sum(dim=3), parts.head)
    assert float(parts.sum_error.max()) <= 1e-5


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-B-32/datacomp_m_s128m_b4k"])
def test_a_full_size_architecture_is_decomposed_exactly(name):
    check_true_architecture(name, count=4)


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, None])
@pytest.mark.parametrize("name", [name for name in model_specs.STUDY if "B-32" not in name])
def test_the_larger_architectures_of_the_study_are_decomposed_exactly(name, count):
    check_true_architecture(name, count)
