"""TEXTSPAN on second moments makes the picks of the reference implementation and of hand-made cases."""

import json

import numpy as np
import pytest
import torch

from precompute.method.textspan import (
    equal_norm,
    many_picks,
    picks,
    random_rotations,
    rotated_heads,
    scores,
    text_coordinates,
    textspan,
    textspan_heads,
)
from tests.support import golden


def covariance_of(output):
    centered = output - output.mean(0)
    return centered.T @ centered / len(output)


def span_basis(output):
    """Orthonormal basis of the span of a head's outputs."""
    _, size, basis = torch.linalg.svd(output, full_matrices=False)
    return basis[size > 1e-5 * size[0]]


def rotated_picks(covariance, text, own_rank, **options):
    """Picks of the rotations of one head whose space is that of the texts."""
    ranks, basis = torch.tensor([own_rank]), torch.eye(text.shape[1])[None]
    picks = rotated_heads(covariance[None], text, basis, own_rank=ranks, **options)
    return type(picks)(*(part[0] for part in picks))


def deflating(output, text, k):
    """Algorithm 1 as in the paper: outputs and texts are modified at every step."""
    output = output - output.mean(0)
    chosen, removed = [], []
    for _ in range(k):
        best = int((output @ text.T).square().sum(0).argmax())
        unit = text[best] / text[best].norm()
        chosen.append(best)
        removed.append(float((output @ unit).square().sum()))
        output = output - torch.outer(output @ unit, unit)
        text = text - torch.outer(text @ unit, unit)
    return chosen, removed


def matching_pursuit(output, text, k, p):
    """Simultaneous orthogonal matching pursuit over texts, as in Head Pursuit (arXiv 2510.21518).

    Outputs lose their least-squares fit by all choices so far, and texts are never modified.
    """
    output = output - output.mean(0)
    residual, chosen = output, []
    for _ in range(k):
        chosen.append(int((residual @ text.T).abs().pow(p).sum(0).argmax()))
        weights = torch.linalg.lstsq(text[chosen].T, output.T).solution
        residual = output - (text[chosen].T @ weights).T
    return chosen, float(1 - residual.square().sum() / output.square().sum())


@pytest.mark.parametrize("seed", range(8))
def test_picks_equal_those_of_matching_pursuit_with_the_norm_of_squares(seed):
    generator = torch.Generator().manual_seed(seed)
    output = torch.randn(90, 12, generator=generator, dtype=torch.float64) * torch.logspace(0, -2, 12)
    text = torch.randn(40, 12, generator=generator, dtype=torch.float64) + 1

    span = textspan(covariance_of(output), text, k=8)
    chosen, explained = matching_pursuit(output, text, 8, p=2)

    assert span.text_index.tolist() == chosen
    assert float(span.cumulative_share[-1]) == pytest.approx(explained)


@pytest.mark.parametrize("name", golden.NAMES)
def test_picks_of_every_head_equal_those_of_the_reference_implementation(name):
    """
    Picks in the basis of the head's space (d_head + 3 directions, with the mean).
    """
    arrays = np.load(golden.folder_of(name) / f"{name}.npz")
    picks = json.loads((golden.folder_of(name) / f"{name}.json").read_text())["textspan"]["picks"]
    text = torch.tensor(arrays["text_embedding"])

    for head, chosen in picks.items():
        layer, number = map(int, head.split(","))
        output = torch.tensor(arrays["head_contribution"][:, layer, number]).double()
        basis = span_basis(output)
        covariance = basis @ covariance_of(output) @ basis.T
        span = textspan(covariance, text_coordinates(text, basis), k=len(chosen))

        assert len(basis) == 19
        assert span.text_index.tolist() == chosen, head
    assert len(picks) >= 6


def test_picks_equal_the_deflating_algorithm_to_the_last_dimension():
    generator = torch.Generator().manual_seed(0)
    output = torch.randn(500, 24, generator=generator, dtype=torch.float64) * torch.logspace(0, -2, 24)
    text = torch.randn(300, 24, generator=generator, dtype=torch.float64)

    chosen, removed = deflating(output, text, 24)
    span = textspan(covariance_of(output), text, k=24)

    assert span.text_index.tolist() == chosen
    expected = torch.tensor(removed, dtype=torch.float64) / sum(removed)
    torch.testing.assert_close(span.variance_share, expected, rtol=1e-8, atol=0)


def test_the_first_pick_is_the_text_along_the_largest_variance():
    span = textspan(torch.diag(torch.tensor([1.0, 5.0, 2.0])), torch.eye(3), k=3)

    assert span.text_index.tolist() == [1, 2, 0]
    assert span.variance_share.tolist() == pytest.approx([5 / 8, 2 / 8, 1 / 8])
    assert span.cumulative_share.tolist() == pytest.approx([5 / 8, 7 / 8, 1.0])
    assert span.margin.tolist() == pytest.approx([1 - 2 / 5, 1 - 1 / 2, 1.0])


def test_texts_are_not_renormalized():
    """
    A text mostly outside the head's space has a low score, even along the direction of largest variance.
    """
    text = torch.tensor([[0.1, 0.0], [0.0, 1.0]])

    span = textspan(torch.diag(torch.tensor([9.0, 1.0])), text, k=1)

    assert span.text_index.tolist() == [1]


def test_equal_texts_go_to_the_lower_index_and_the_copy_is_never_picked():
    text = torch.tensor(
        [[0.0, 1.0, 0.0], [0.6, 0.8, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64
    )

    span = textspan(torch.eye(3), text, k=4)

    assert span.text_index.tolist() == [0, 3, 1]
    assert span.margin[0] == pytest.approx(0.0)


def test_never_picks_the_same_text_twice():
    generator = torch.Generator().manual_seed(1)
    for _ in range(30):
        output = torch.randn(50, 12, generator=generator)
        text = torch.randn(40, 12, generator=generator)

        index = textspan(covariance_of(output), text, k=60).text_index.tolist()

        assert len(index) == len(set(index)) == 12


def test_stops_when_the_variance_is_used_up():
    span = textspan(torch.diag(torch.tensor([1.0, 1e-3, 0.0])), torch.eye(3), k=3)

    assert span.text_index.tolist() == [0, 1]


def test_stops_when_every_text_is_spent():
    span = textspan(torch.eye(3), torch.eye(3)[:2], k=3)

    assert span.text_index.tolist() == [0, 1]
    assert span.cumulative_share[-1] == pytest.approx(2 / 3)


def test_a_head_that_never_varies_has_no_texts():
    span = textspan(torch.zeros(3, 3), torch.eye(3), k=3)

    assert [len(field) for field in span] == [0, 0, 0, 0]


def test_zero_padding_of_the_coordinates_changes_nothing():
    generator = torch.Generator().manual_seed(2)
    output, text = torch.randn(60, 5, generator=generator), torch.randn(30, 5, generator=generator)
    padded_output, padded_text = (torch.nn.functional.pad(x, (0, 3)) for x in (output, text))

    assert torch.equal(
        textspan(covariance_of(padded_output), padded_text, k=8).text_index,
        textspan(covariance_of(output), text, k=8).text_index,
    )


@pytest.mark.parametrize(("k", "texts"), [(0, 3), (3, 0)])
def test_nothing_to_pick_is_refused(k, texts):
    with pytest.raises(ValueError, match=f"k={k} texts from a pool of {texts}"):
        textspan(torch.eye(3), torch.eye(3)[:texts], k=k)


def test_the_table_of_picks_marks_missing_ones():
    long = textspan(torch.eye(3), torch.eye(3), k=3)
    short = textspan(torch.diag(torch.tensor([0.0, 1.0, 0.0])), torch.eye(3), k=3)

    table = picks([long, short], 2)

    assert table.text_index.tolist() == [[0, 1], [1, -1]]
    assert table.variance_share.tolist() == [[pytest.approx(1 / 3)] * 2, [1.0, 0.0]]


def test_random_rotations_are_orthogonal_and_centered():
    rotation = random_rotations(6, 2000, 0).double()

    identity = torch.eye(6).double().expand_as(rotation)
    torch.testing.assert_close(rotation @ rotation.mT, identity, atol=1e-5, rtol=0)
    assert rotation.mean(0).abs().max() < 0.05


def test_rotated_heads_pick_as_the_rotated_covariance_does():
    """
    Each rotation is TEXTSPAN on G S G' in the head's own dimensions, without padding.
    """
    generator = torch.Generator().manual_seed(3)
    own = covariance_of(torch.randn(80, 6, generator=generator).double())
    text = torch.nn.functional.pad(torch.randn(50, 6, generator=generator).double(), (0, 2))
    covariance = torch.nn.functional.pad(own, (0, 2, 0, 2))

    rotated = rotated_picks(covariance, text, own_rank=6, k=4, rotations=20, seed=7)

    for index, share, rotation in zip(*rotated, random_rotations(6, 20, 7).double(), strict=True):
        span = textspan(rotation @ own @ rotation.T, text[:, :6], k=4)
        assert index.tolist() == span.text_index.tolist()
        assert share.tolist() == pytest.approx(span.variance_share.tolist(), rel=1e-4)


def test_rotated_picks_are_the_same_every_time_and_padded_to_k():
    first, second = (
        rotated_picks(torch.eye(3), torch.eye(3), own_rank=3, k=5, rotations=9) for _ in range(2)
    )

    assert all(map(torch.equal, first, second))
    assert first.text_index.shape == first.variance_share.shape == (9, 5)
    assert (first.text_index[:, 3:] == -1).all()
    assert (first.variance_share[:, 3:] == 0).all()


def test_many_heads_are_one_head_at_a_time_for_any_number_of_workers():
    generator = torch.Generator().manual_seed(4)
    covariance = torch.stack(
        [covariance_of(torch.randn(30, 6, generator=generator).double()) for _ in range(3)]
    )
    text = torch.randn(40, 10, generator=generator)
    basis = torch.linalg.qr(torch.randn(3, 10, 6, generator=generator)).Q.mT
    before = torch.get_num_threads()

    spans = textspan_heads(covariance, text, basis, k=4, workers=2)
    rotated = rotated_heads(
        covariance, text, basis, own_rank=torch.tensor([6, 5, 6]), k=4, rotations=9, workers=2
    )

    for head in range(3):
        own = text_coordinates(text, basis[head])
        assert torch.equal(spans[head].text_index, textspan(covariance[head], own, k=4).text_index)
        alone = rotated_picks(covariance[head], own, own_rank=6 - head % 2, k=4, rotations=9)
        assert torch.equal(rotated.text_index[head], alone.text_index)
        assert torch.equal(rotated.variance_share[head], alone.variance_share)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_covariances_pick_from_their_own_texts(dtype):
    """
    Masked texts have no effect; a mask of all texts changes nothing.
    """
    generator = torch.Generator().manual_seed(6)
    covariance = torch.stack([covariance_of(torch.randn(50, 6, generator=generator)) for _ in range(9)])
    text = torch.randn(40, 6, generator=generator)
    text_mask = torch.rand(9, 40, generator=generator) < 0.5
    text_mask[-1] = True

    found = many_picks(covariance.to(dtype), text.to(dtype), k=4, text_mask=text_mask)

    for number in range(9):
        rows = text_mask[number].nonzero().flatten()
        span = textspan(covariance[number], text[rows], k=4)
        assert found.text_index[number].tolist() == rows[span.text_index].tolist()
        assert found.variance_share[number].tolist() == pytest.approx(span.variance_share.tolist(), rel=1e-3)


def test_scores_passed_in_give_the_same_picks():
    generator = torch.Generator().manual_seed(7)
    covariance = torch.stack([covariance_of(torch.randn(50, 6, generator=generator)) for _ in range(3)])
    text = torch.randn(40, 6, generator=generator)
    score = scores(covariance, text)
    before = score.clone()

    reused, fresh = (many_picks(covariance, text, k=4, score=value) for value in (score, None))

    assert all(map(torch.equal, reused, fresh))
    assert torch.equal(score, before)


def test_a_covariance_without_texts_has_no_picks():
    text_mask = torch.tensor([[False, False, False], [True, True, False]])

    found = many_picks(torch.eye(3).expand(2, -1, -1), torch.eye(3), k=2, text_mask=text_mask)

    assert found.text_index.tolist() == [[-1, -1], [0, 1]]
    assert found.variance_share[0].tolist() == [0.0, 0.0]


def test_texts_of_equal_length_are_picked_by_direction_alone():
    """
    The first text points along the larger variance but has a small part in the space.
    """
    text = torch.tensor([[0.1, 0.0], [0.0, 1.0]], dtype=torch.float64)
    covariance = torch.diag(torch.tensor([9.0, 1.0]))

    assert textspan(covariance, text, k=1).text_index.tolist() == [1]
    assert textspan(covariance, equal_norm(text), k=1).text_index.tolist() == [0]
    assert equal_norm(text).norm(dim=1).tolist() == [1.0, 1.0]


def test_a_text_outside_the_space_gets_no_direction_from_rounding():
    text = torch.tensor([[1e-9, 1e-9], [0.0, 0.0], [0.3, 0.4]], dtype=torch.float64)

    assert equal_norm(text).tolist() == [[0.0, 0.0], [0.0, 0.0], [pytest.approx(0.6), pytest.approx(0.8)]]
