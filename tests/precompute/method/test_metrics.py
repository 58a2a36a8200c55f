"""Metrics equal their formulas, by brute force on small cases and on the released labels."""

import csv
from itertools import combinations

import pytest
import torch

from precompute.method import metrics
from precompute.method.textspan import textspan
from precompute.method.types import TextSpan
from precompute.stages.leaderboard import published
from tests.support.metric_rows import value_of
from tests.support.paths import REFERENCE

RELEASED = REFERENCE / "released_labels.csv"


def drawn_share(labels, supported, m):
    """Expected share of heads with a partner among m drawn heads, over all possible draws."""
    shares = []
    for drawn in combinations(range(len(labels)), m):
        named = [labels[head] for head in drawn if supported[head]]
        shares.append(sum(named.count(label) > 1 for label in named) / m)
    return sum(shares) / len(shares)


def test_partners_are_other_heads_with_the_same_label():
    assert metrics.partners(["color", "shape", "color", "color"]) == [2, 0, 2, 2]


def test_an_unsupported_head_has_no_partners():
    assert metrics.partners(["color", "color", "color"], [True, False, True]) == [1, 0, 1]


@pytest.mark.parametrize("m", range(1, 8))
@pytest.mark.parametrize("supported", [[True] * 7, [True, False, True, True, True, False, True]])
def test_entanglement_is_the_expected_share_among_drawn_heads(m, supported):
    labels = ["a", "b", "a", "c", "a", "b", "c"]

    share = metrics.entanglement(metrics.partners(labels, supported), m)

    assert share == pytest.approx(drawn_share(labels, supported, m))


def test_entanglement_of_all_heads_is_the_plain_share_and_uniqueness_its_complement():
    own = metrics.partners(["a", "a", "b", "c"])

    assert metrics.entanglement(own, 4) == 0.5
    assert metrics.uniqueness(own) == 0.5


@pytest.mark.parametrize("m", [0, 3])
def test_more_heads_than_there_are_cannot_be_drawn(m):
    with pytest.raises(ValueError, match=f"m={m}"):
        metrics.entanglement([0, 0], m)


def prefix_partners(labels):
    """Of each head, how many others have a label that begins its label or begins with it."""
    return [sum(one.startswith(other) or other.startswith(one) for other in labels) - 1 for one in labels]


@pytest.mark.skipif(not RELEASED.exists(), reason="the folder of reference figures is not here")
def test_uniqueness_of_the_released_labels_is_the_figure_quoted_as_entanglement():
    labels = {}
    for row in csv.DictReader(RELEASED.read_text().splitlines()):
        labels.setdefault(f"{row['architecture']}/{row['weights']}", []).append(row["label"])
    quoted = {one.model: one.value for one in published().itertuples() if one.metric == "entanglement"}

    compared = labels.keys() & quoted.keys()

    assert compared == {"ViT-B-32/openai", "ViT-B-16/laion2b_s34b_b88k"}
    for model in compared:
        ours = metrics.uniqueness(prefix_partners(labels[model]))
        assert int(ours * 1000) / 1000 == quoted[model]  # printed figures are truncated


def test_ccs_counts_the_first_five_answers():
    answers = torch.tensor([[True, False, True, True, False, True], [False] * 6])

    assert metrics.ccs(answers).tolist() == [3, 0]


def test_association_is_the_share_of_heads_with_enough_consistent_texts():
    scores = torch.tensor([5, 3, 1, 0])

    assert [float(metrics.association(scores, m)) for m in (1, 3, 5)] == [0.75, 0.5, 0.25]
    assert float(metrics.text_consistency(scores)) == pytest.approx(9 / 20)


def test_heads_without_a_ccs_count_for_nothing():
    scores = torch.tensor([5, -1, 1, -1])

    assert float(metrics.association(scores, 1)) == 1.0
    assert float(metrics.text_consistency(scores)) == pytest.approx(6 / 10)
    assert [float(metrics.ccs_at(scores, k)) for k in (0, 1, 5)] == [0.0, 0.5, 0.5]
    assert metrics.association(scores[[1, 3]], 1).isnan()


def test_a_property_of_five_texts_has_no_ccs_and_one_of_six_has():
    tags = torch.zeros(11, 2, dtype=torch.bool)
    tags[:5, 0], tags[5:, 1] = True, True
    answers = torch.ones(2, 5, dtype=torch.bool)

    scored = metrics.scored(torch.tensor([0, 1]), tags)

    assert scored.tolist() == [False, True]
    assert metrics.ccs(answers, scored).tolist() == [-1, 5]


def test_shares_of_heads_by_ccs_sum_to_one():
    scores = torch.tensor([5, 3, 1, 0, 3, -1])

    shares = [float(metrics.ccs_at(scores, k)) for k in range(6)]

    assert shares == pytest.approx([0.2, 0.2, 0, 0.4, 0, 0.2])


def test_cross_fitted_consistency_is_the_mean_over_splits_of_what_each_defines():
    """
    Two heads, two splits with one side each. In the second split only the first head has a CCS.
    """
    scores = torch.tensor([[[5], [1]], [[0], [-1]]])

    found = metrics.crossfit(scores)

    assert metrics.crossfit_ccs(scores).tolist() == [3.0, 0.0]
    assert found["text_consistency_crossfit"] == pytest.approx((5 / 10 + 1 / 5) / 2)
    assert found["association_1_crossfit"] == pytest.approx((0.5 + 1) / 2)
    assert found["association_2_crossfit"] == pytest.approx((0.5 + 0) / 2)


def test_cross_fitted_consistency_stands_beside_that_of_rotated_heads():
    scores = torch.tensor([[[5, 5]], [[0, 0]]])
    rotated = torch.tensor([[[[1, 1]], [[2, 2]]], [[[0, 0]], [[-1, -1]]]])  # [head, rotation, split, side]

    rows = metrics.crossfit_metrics(scores, rotated, torch.tensor([True, False]))

    row = value_of(rows, "text_consistency_crossfit")
    assert (row.value, row.chance) == (pytest.approx(0.5), pytest.approx((1 / 10 + 2 / 5) / 2))
    assert value_of(rows, "association_5_crossfit", "supported").value == 1.0


def test_consistency_that_no_head_has_is_not_defined():
    nothing = torch.full((2, 3, 2), -1)

    assert set(metrics.crossfit(nothing).values()) == {None}
    assert metrics.crossfit_ccs(nothing).isnan().all()


RANK = 10


@pytest.fixture
def head():
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(RANK, RANK, generator=generator, dtype=torch.float64) * torch.logspace(0, -1, RANK)
    return half @ half.T, torch.randn(50, RANK, generator=generator, dtype=torch.float64)


def test_texts_along_the_principal_directions_span_all_they_can(head):
    covariance, _ = head
    text = torch.cat([torch.linalg.eigh(covariance).eigenvectors.T, torch.eye(RANK, dtype=torch.float64)])
    text[RANK:] *= 0.5

    value = metrics.spanned_variance(textspan(covariance, text), covariance, text, own_rank=RANK)

    assert value == pytest.approx(1.0)


def test_texts_drawn_at_random_span_what_random_texts_span(head):
    """
    The first texts of a random order are a random draw, so the mean value over many orders is 0.
    """
    covariance, text = head
    k = metrics.spanned_texts(RANK, len(text))
    values = []
    for seed in range(40):
        rows = torch.randperm(len(text), generator=torch.Generator().manual_seed(1000 + seed))[:k]
        basis = torch.linalg.qr(text[rows].T).Q
        share = (basis * (covariance @ basis)).sum() / covariance.trace()
        span = TextSpan(rows, share.expand(k), share.expand(k), share.expand(k))
        values.append(metrics.spanned_variance(span, covariance, text, own_rank=RANK, draws=50))

    assert sum(values) / len(values) == pytest.approx(0.0, abs=0.15)


def test_spanned_variance_lies_between_random_texts_and_principal_directions(head):
    covariance, text = head

    value = metrics.spanned_variance(textspan(covariance, text), covariance, text, own_rank=RANK)

    assert 0 < value < 1


def test_fewer_picks_are_compared_with_as_few_random_texts(head):
    covariance, text = head

    span = textspan(covariance, text, k=5)

    assert 0 < metrics.spanned_variance(span, covariance, text, own_rank=RANK, picks=5) < 1


def test_equal_texts_span_no_more_than_one(head):
    """
    A draw with copies spans fewer directions than it has texts.
    """
    covariance, text = head
    copies = text[:2].repeat_interleave(25, dim=0)

    value = metrics.spanned_variance(textspan(covariance, copies), covariance, copies, own_rank=RANK)

    assert value == pytest.approx(0.0, abs=0.05)


def test_spanned_variance_of_a_head_that_never_varies_is_not_defined():
    silent, text = torch.zeros(4, 4), torch.eye(4)

    assert metrics.spanned_variance(textspan(silent, text), silent, text, own_rank=4) is None


@pytest.mark.parametrize(
    ("own_rank", "texts", "k"), [(67, 3500, 60), (72, 3500, 60), (35, 800, 31), (67, 9, 9)]
)
def test_spanned_texts_are_fewer_than_dimensions(own_rank, texts, k):
    assert metrics.spanned_texts(own_rank, texts) == k


@pytest.fixture
def rows():
    """Four heads, two rotations."""
    return metrics.label_metrics(
        label=torch.tensor([0, 0, 1, 0]),
        rotated_label=torch.tensor([[0, 1], [0, 2], [1, 3], [2, 4]]),
        ccs=torch.tensor([5, 3, 0, 1]),
        rotated_ccs=torch.tensor([[1, 0], [1, 2], [0, 0], [0, 0]]),
        supported=torch.tensor([True, True, True, False]),
        smallest=3,
    )


def test_model_metrics_stand_beside_what_rotated_heads_give(rows):
    shared = value_of(rows, "entanglement")

    assert (shared.value, shared.chance) == (0.75, 0.25)
    assert value_of(rows, "text_consistency").chance == pytest.approx((2 / 20 + 2 / 20) / 2)


def test_supported_heads_alone_make_the_supported_metrics(rows):
    """
    The unsupported head has the label of others but no partners; two of four heads still share a label.
    """
    assert value_of(rows, "entanglement", "supported").value == 0.5
    assert value_of(rows, "uniqueness", "supported").value == 0.5
    assert value_of(rows, "text_consistency", "supported").value == pytest.approx(8 / 15)
    assert value_of(rows, "ccs_low", "supported").value == 1.0
    assert value_of(rows, "supported_share").value == 0.75


def test_no_supported_heads_leave_their_agreement_undefined():
    rows = metrics.label_metrics(
        label=torch.tensor([0, 0]),
        rotated_label=torch.zeros(2, 0, dtype=torch.long),
        ccs=torch.tensor([5, 5]),
        rotated_ccs=torch.zeros(2, 0, dtype=torch.long),
        supported=torch.tensor([False, False]),
        smallest=2,
    )

    assert value_of(rows, "association_1", "supported").value is None
    assert value_of(rows, "entanglement", "supported").value == 0.0
    assert value_of(rows, "association_1", "all").chance is None


def test_coverage_sums_components_by_kind():
    kinds = ["input", "attention", "mlp", "head", "head", "mlp"]

    rows = metrics.coverage_metrics(torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, -0.5]), kinds)

    assert {row.metric: pytest.approx(row.value) for row in rows} == {
        "coverage_heads": 0.9,
        "coverage_attention": 0.2,
        "coverage_mlps": -0.2,
        "coverage_input": 0.1,
    }


def test_means_over_heads_leave_out_heads_without_a_value():
    values, used = [0.2, None, 0.6], torch.tensor([False, True, True])
    mean, supported = metrics.head_means("mean_spanned_variance", values, used)

    assert (mean.value, supported.value) == (pytest.approx(0.4), pytest.approx(0.6))


def test_each_model_metric_has_one_row_a_set_of_heads(rows):
    keys = [(row.metric, row.heads_used) for row in rows]

    assert len(keys) == len(set(keys))
