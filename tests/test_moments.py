"""Moments are those of all images, however these were split into batches and groups."""

import pytest
import torch

from precompute import moments
from precompute.types import Decomposition, HeadSpaces

IMAGES, LAYERS, HEADS, RANK, D_OUT, GROUPS = 60, 2, 3, 4, 10, 8


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
    return HeadSpaces((4, 5), basis, torch.full((LAYERS, HEADS), RANK))


@pytest.fixture
def decomposition(head, spaces):
    generator = torch.Generator().manual_seed(3)
    mlp = torch.randn(IMAGES, LAYERS, D_OUT, generator=generator)
    early = torch.randn(IMAGES, D_OUT, generator=generator)
    embedding = early + mlp.sum(1) + torch.einsum("ilhr,lhrd->id", head, spaces.basis)
    return Decomposition(embedding, head, mlp, early, torch.zeros(IMAGES))


def some(decomposition, chosen):
    return Decomposition(*(field[chosen] for field in decomposition))


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
    assert pooled.images == IMAGES
    torch.testing.assert_close(pooled.mean, flat.mean(0), rtol=1e-12, atol=0)
    covariance = torch.einsum("ilhr,ilhs->lhrs", centered, centered) / IMAGES
    torch.testing.assert_close(pooled.covariance, covariance, rtol=1e-10, atol=1e-18)


def test_chosen_groups_pool_to_the_moments_of_their_images(head, group):
    chosen = torch.arange(GROUPS) < 3
    inside = group < 3

    pooled = moments.pooled(moments.from_coordinates(head, group, GROUPS), chosen)

    alone = moments.pooled(moments.from_coordinates(head[inside], group[inside], GROUPS))
    assert pooled.images == int(inside.sum())
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


def test_component_shares_are_the_covariance_with_the_embedding(decomposition, spaces, group):
    shares = moments.component_shares(moments.component_from(decomposition, spaces, group, GROUPS))

    heads = torch.einsum("ilhr,lhrd->ilhd", decomposition.head, spaces.basis).flatten(1, 2)
    parts = torch.cat([decomposition.early[:, None], heads, decomposition.mlp], dim=1).double()
    embedding = decomposition.embedding.double()
    embedding = embedding - embedding.mean(0)
    expected = torch.einsum("icd,id->c", parts - parts.mean(0), embedding) / embedding.square().sum()
    torch.testing.assert_close(shares, expected, rtol=1e-5, atol=1e-8)


def test_component_shares_sum_to_one(decomposition, spaces, group):
    """
    They do because contributions sum to the embedding, here up to float32.
    """
    shares = moments.component_shares(moments.component_from(decomposition, spaces, group, GROUPS))

    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("batch", [1, 13])
def test_component_moments_do_not_depend_on_batches(decomposition, spaces, group, batch):
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(batch))

    parts = [
        moments.component_from(some(decomposition, rows), spaces, group[rows], GROUPS)
        for rows in order.split(batch)
    ]
    merged = parts[0]
    for part in parts[1:]:
        merged = moments.merge_components(merged, part)

    assert_same(merged, moments.component_from(decomposition, spaces, group, GROUPS))


def test_components_are_named_in_the_order_of_their_axis(decomposition, spaces, group):
    names = moments.components(spaces.layers, HEADS)

    assert [one.component for one in names[:2]] == ["early", "head L4.H0"]
    assert names[-3:] == [("head L5.H2", 5, 2), ("mlp L4", 4, None), ("mlp L5", 5, None)]
    assert len(names) == moments.component_from(decomposition, spaces, group).cross.shape[1]


def test_equal_embeddings_have_no_shares(decomposition, spaces, group):
    one = some(decomposition, torch.zeros(5, dtype=torch.long))

    with pytest.raises(ValueError, match="all embeddings are equal"):
        moments.component_shares(moments.component_from(one, spaces, group[:5], GROUPS))
