"""Moments equal those of all images for any split into batches and groups."""

import pytest
import torch

from precompute import clip
from precompute.method import moments
from precompute.method.decomposition import decompose, head_spaces, plan
from precompute.method.decomposition import earlier as earlier_contributions
from precompute.method.types import Decomposition, HeadSpaces
from tests.support.towers import small_clip, some_pixels

IMAGES, LAYERS, HEADS, RANK, D_OUT, GROUPS = 60, 2, 3, 4, 10, 8
FIRST = 4
"""First decomposed layer."""


@pytest.fixture
def head():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(IMAGES, LAYERS, HEADS, RANK, generator=generator) * 2e-3 + 0.5


@pytest.fixture
def group():
    # Group 7 stays empty.
    return torch.randint(0, GROUPS - 1, (IMAGES,), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def spaces():
    generator = torch.Generator().manual_seed(2)
    basis = torch.linalg.qr(torch.randn(LAYERS, HEADS, D_OUT, RANK, generator=generator)).Q.mT.contiguous()
    return HeadSpaces((FIRST, FIRST + 1), basis, torch.full((LAYERS, HEADS), RANK))


@pytest.fixture
def earlier():
    """Input, attention and MLP of the earlier layers; far from zero, as in real models."""
    generator = torch.Generator().manual_seed(4)
    return torch.randn(IMAGES, 1 + 2 * FIRST, D_OUT, generator=generator) + 3


@pytest.fixture
def decomposition(head, earlier, spaces):
    generator = torch.Generator().manual_seed(3)
    mlp = torch.randn(IMAGES, LAYERS, D_OUT, generator=generator)
    early = earlier.sum(1)
    embedding = early + mlp.sum(1) + torch.einsum("ilhr,lhrd->id", head, spaces.basis)
    return Decomposition(embedding, head, mlp, early, torch.zeros(IMAGES))


@pytest.fixture
def component_moments(decomposition, earlier, spaces, group):
    """Component moments of some of the images; all by default."""

    def of(chosen=slice(None)):
        parts = Decomposition(*(field[chosen] for field in decomposition))
        before = moments.earlier_from(earlier[chosen], parts.embedding, group[chosen])
        return moments.component_from(parts, before, spaces, group[chosen], GROUPS)

    return of


def assert_same(a, b):
    for name in a._fields:
        torch.testing.assert_close(getattr(a, name), getattr(b, name), rtol=1e-12, atol=1e-15, msg=name)


def test_the_group_of_an_image_is_its_id_alone():
    assert moments.group_of("0000004100000000") == 1
    assert moments.group_of("ffffffff12345678") == 63


def test_pooled_moments_are_mean_and_covariance_of_all_images(head, group):
    pooled = moments.pooled(moments.from_coordinates(head, group, GROUPS))

    flat = head.double().flatten(0, 0)
    centered = flat - flat.mean(0)
    assert pooled.image_count == IMAGES
    torch.testing.assert_close(pooled.mean, flat.mean(0), rtol=1e-12, atol=0)
    covariance = torch.einsum("ilhr,ilhs->lhrs", centered, centered) / IMAGES
    torch.testing.assert_close(pooled.covariance, covariance, rtol=1e-10, atol=1e-18)


def test_chosen_groups_pool_to_the_moments_of_their_images(head, group):
    chosen = torch.arange(GROUPS) < 3
    inside = group < 3

    pooled = moments.pooled(moments.from_coordinates(head, group, GROUPS), chosen)

    alone = moments.pooled(moments.from_coordinates(head[inside], group[inside], GROUPS))
    assert pooled.image_count == int(inside.sum())
    torch.testing.assert_close(pooled.covariance, alone.covariance, rtol=1e-12, atol=0)


@pytest.mark.parametrize("batch", [1, 7, 59])
def test_batches_and_their_order_leave_no_trace(head, group, batch):
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(batch))

    parts = [moments.from_coordinates(head[rows], group[rows], GROUPS) for rows in order.split(batch)]
    merged = parts[0]
    for part in parts[1:]:
        merged = moments.merge(merged, part)

    assert_same(merged, moments.from_coordinates(head, group, GROUPS))


def test_no_images_cannot_be_pooled():
    empty = moments.from_coordinates(torch.zeros(0, 1, 1, 2), torch.zeros(0, dtype=torch.long), groups=GROUPS)

    with pytest.raises(ValueError, match="no images"):
        moments.pooled(empty)


def test_importance_is_the_root_mean_square_distance_from_the_mean():
    head = torch.tensor([[[[3.0, 4.0]]], [[[-3.0, -4.0]]]])

    pooled = moments.pooled(moments.from_coordinates(head, torch.tensor([0, 5])))

    assert moments.importance(pooled.covariance).tolist() == [[pytest.approx(5.0)]]


def test_component_shares_are_the_covariance_with_the_embedding(
    decomposition, earlier, spaces, component_moments
):
    shares = moments.component_shares(component_moments())

    heads = torch.einsum("ilhr,lhrd->ilhd", decomposition.head, spaces.basis).flatten(1, 2)
    parts = torch.cat([earlier, heads, decomposition.mlp], dim=1).double()
    embedding = decomposition.embedding.double()
    embedding = embedding - embedding.mean(0)
    expected = torch.einsum("icd,id->c", parts - parts.mean(0), embedding) / embedding.square().sum()
    torch.testing.assert_close(shares, expected, rtol=1e-5, atol=1e-8)


def test_component_shares_sum_to_one(component_moments):
    """
    Contributions sum to the embedding, here up to float32 rounding.
    """
    shares = moments.component_shares(component_moments())

    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("batch", [1, 13])
def test_component_moments_do_not_depend_on_batches(component_moments, batch):
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(batch))

    parts = [component_moments(rows) for rows in order.split(batch)]
    merged = parts[0]
    for part in parts[1:]:
        merged = moments.merge_components(merged, part)

    assert_same(merged, component_moments())


def test_earlier_moments_are_kept_for_groups_with_images_alone():
    """
    Two images of group 2 at 1 and 3, one of group 63 at 5: means 2 and 5, cross moments 2 and 0.
    """
    value = torch.tensor([1.0, 5.0, 3.0])[:, None]

    found = moments.earlier_from(value[:, None], value, torch.tensor([2, 63, 2]))

    assert found.group.tolist() == [2, 63]
    assert found.mean.flatten().tolist() == [2, 5]
    assert found.cross.flatten().tolist() == [2, 0]


def test_components_are_named_in_the_order_of_their_axis(component_moments):
    names = moments.components((FIRST, FIRST + 1), HEADS)

    assert names[:3] == [
        ("input", "input", None, None), ("attention L0", "attention", 0, None), ("mlp L0", "mlp", 0, None)
    ]  # fmt: skip
    assert names[7:10] == [
        ("attention L3", "attention", 3, None), ("mlp L3", "mlp", 3, None), ("head L4.H0", "head", 4, 0)
    ]  # fmt: skip
    assert [one.component for one in names[-3:]] == ["head L5.H2", "mlp L4", "mlp L5"]
    assert len(names) == component_moments().cross.shape[1]


def test_with_all_layers_decomposed_only_the_input_precedes_the_heads():
    names = moments.components((0, 1), heads=1)

    assert [one.component for one in names] == ["input", "head L0.H0", "head L1.H0", "mlp L0", "mlp L1"]


def shares_of(model, pixels, count):
    """Share of every component of a model by name, with the last `count` layers decomposed."""
    layers, weights = clip.last_layers(model, count), clip.vision_weights(model)
    image_plan = plan(weights, head_spaces(weights, layers))
    captured = clip.capture(model, pixels, layers)
    parts, group = decompose(image_plan, captured), torch.arange(len(pixels)) % 3
    before = moments.earlier_from(earlier_contributions(image_plan, captured), parts.embedding, group)
    shares = moments.component_shares(moments.component_from(parts, before, image_plan.spaces, group))
    named = moments.components(layers, model.heads)
    return {one.component: share for one, share in zip(named, shares.tolist(), strict=True)}


def test_a_layer_has_the_same_share_with_and_without_decomposed_heads():
    model = small_clip()
    pixels = some_pixels(model, images=20)

    whole, last = shares_of(model, pixels, None), shares_of(model, pixels, 1)

    for layer in (0, 1):
        by_heads = sum(whole[f"head L{layer}.H{head}"] for head in range(3))
        assert last[f"attention L{layer}"] == pytest.approx(by_heads, abs=1e-5)
    alike = ("input", "mlp L0", "mlp L1", "mlp L2", "head L2.H0", "head L2.H1", "head L2.H2")
    assert [last[name] for name in alike] == pytest.approx([whole[name] for name in alike], abs=1e-5)
    assert sum(last.values()) == pytest.approx(1, abs=1e-5)


def test_equal_embeddings_have_no_shares(component_moments):
    equal = component_moments(torch.zeros(5, dtype=torch.long))

    assert moments.component_shares(equal).isnan().all()
