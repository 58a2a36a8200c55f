"""A head planted on one property gets its label; noise heads get supported labels at the nominal rate."""

from fractions import Fraction
from itertools import combinations
from math import comb

import pytest
import torch

from precompute.method import labels
from precompute.method.textspan import picks, rotated_heads, textspan_heads
from precompute.method.types import Picks

PROPERTIES = ("animal", "color", "shape")


def tags_of(*properties):
    return torch.tensor([[one == name for name in PROPERTIES] for one in properties])


def test_the_tail_counts_draws_with_at_least_as_many_hits():
    carrying = {0, 1, 2}
    draws = [sum(text in carrying for text in drawn) for drawn in combinations(range(8), 4)]

    for count in range(5):
        expected = Fraction(sum(hits >= count for hits in draws), comb(8, 4))
        assert labels.hypergeometric_tail(8, 3, 4, count) == float(expected)


def test_a_tail_of_a_large_pool_does_not_underflow():
    assert 0 < labels.hypergeometric_tail(3500, 60, 20, 20) < 1e-30


def test_the_label_is_the_property_the_picks_share():
    tags = tags_of("color", "shape", "color", "animal", "shape", "animal", "animal", "shape")

    found = labels.enrich(torch.tensor([0, 2, 3]), tags)

    assert PROPERTIES[found.property] == "color"
    assert found.hits == 2
    assert float(found.tail) == labels.hypergeometric_tail(8, 2, 3, 2)


def test_a_rare_property_beats_a_common_one_with_as_many_hits():
    tags = tags_of("color", "color", "color", "color", "shape", "animal", "animal")

    found = labels.enrich(torch.tensor([0, 4]), tags)

    assert PROPERTIES[found.property] == "shape"


def test_equal_tails_go_to_the_first_property_by_name():
    found = labels.enrich(torch.tensor([0, 1]), tags_of("shape", "color", "color", "shape"))

    assert PROPERTIES[found.property] == "color"


def test_picks_never_made_are_not_counted_as_drawn():
    tags = tags_of("color", "shape", "color", "animal", "shape")

    short = labels.enrich(torch.tensor([[0, -1, -1], [-1, -1, -1]]), tags)

    assert short.tail.tolist() == [labels.hypergeometric_tail(5, 2, 1, 1), 1.0]
    assert short.hits.tolist() == [1, 0]


def leading(text_index, variance_share, tags):
    return labels.leading(
        Picks(torch.tensor(text_index), torch.tensor(variance_share, dtype=torch.float64)), tags
    )


def test_one_high_variance_pick_outweighs_two_low_variance_picks():
    """
    Two shapes remove more variance than one color (.51 against .5), but less to the power of 1.6.
    """
    found = leading([0, 1, 2, 3], [0.5, 0.31, 0.2, 0.0625], tags_of("color", "shape", "shape", "animal"))

    assert PROPERTIES[found.property] == "color"
    assert float(found.share) == 0.5
    assert found.score.tolist() == pytest.approx([0.0625**1.6, 0.5**1.6, 0.31**1.6 + 0.2**1.6])


def test_a_text_of_two_properties_counts_for_both():
    tags = tags_of("color", "shape", "color")
    tags[0] |= tags[1]

    found = leading([[0, 2], [0, 1], [0, -1]], [[0.5, 0.25], [0.5, 0.25], [0.5, 0.0]], tags)

    assert [PROPERTIES[one] for one in found.property] == ["color", "shape", "color"]
    assert found.share.tolist() == [0.75, 0.75, 0.5]
    high, low = 0.5**1.6, 0.25**1.6
    expected = [high + low, high, high, high + low, high, high]
    assert found.score[:, 1:].flatten().tolist() == pytest.approx(expected)


def test_the_picks_that_carry_the_label_are_counted():
    tags = tags_of("color", "color", "shape", "color")

    found = leading(
        [[0, 2, 1], [2, 0, -1], [-1, -1, -1]], [[0.5, 0.3, 0.1], [0.5, 0.3, 0.0], [0.0] * 3], tags
    )

    assert [PROPERTIES[one] for one in found.property[:2]] == ["color", "shape"]
    assert found.carrying.tolist() == [2, 1, 0]


@pytest.mark.parametrize(("carrying", "supported"), [(0, False), (1, False), (2, True)])
def test_a_significant_label_is_supported_only_if_two_picks_carry_it(carrying, supported):
    rotated = scored([[0] * 39], [[[0.1, 0.0]] * 39])
    observed = scored([0], [[0.5, 0.0]])._replace(carrying=torch.tensor([carrying]))

    [found] = labels.labels_by_variance_share(observed, rotated, ("animal", "color"), picks=10)

    assert (found.q_value, found.carrying_picks) == (1 / 40, carrying)
    assert found.supported == supported


def test_an_insignificant_label_is_unsupported_however_many_picks_carry_it():
    rotated = scored([[0] * 39], [[[0.9, 0.0]] * 39])
    observed = scored([0], [[0.5, 0.0]])._replace(carrying=torch.tensor([10]))

    [found] = labels.labels_by_variance_share(observed, rotated, ("animal", "color"), picks=10)

    assert not found.supported


def test_a_text_without_a_property_counts_for_none():
    found = leading([0, 1], [0.75, 0.25], torch.tensor([[False, False, False], [False, True, False]]))

    assert (PROPERTIES[found.property], float(found.share)) == ("color", 0.25)


def test_equal_scores_go_to_the_first_property_by_name():
    found = leading([0, 1], [0.3, 0.3], tags_of("shape", "color"))

    assert PROPERTIES[found.property] == "color"


def scored(properties, scores):
    scores = torch.tensor(scores, dtype=torch.float64)
    carrying = torch.full(scores.shape[:-1], 2)
    return labels.Leading(torch.tensor(properties), torch.zeros(scores.shape[:-1]).double(), scores, carrying)


def test_a_label_leads_by_what_it_has_beyond_its_mean_less_the_same_of_the_next():
    """
    The means over the head and three rotations are .25, .125 and 0; the centered scores .25, -.125 and 0.
    """
    observed = scored([0], [[0.5, 0.0, 0.0]])
    rotated = scored([[0, 0, 1]], [[[0.25, 0.125, 0.0], [0.25, 0.125, 0.0], [0.0, 0.25, 0.0]]])

    lead, chance = labels.leads(observed, rotated)

    assert lead.tolist() == [0.25]
    assert chance.tolist() == [[0.0, 0.0, 0.125]]


def test_a_label_that_every_rotation_has_as_much_of_does_not_lead():
    observed = scored([0], [[0.5, 0.25]])
    rotated = scored([[0, 0, 0]], [[[0.5, 0.0], [0.5, 0.0], [0.5, 0.0]]])

    lead, _ = labels.leads(observed, rotated)

    assert lead.tolist() == [0.0]


def test_a_head_without_picks_leads_over_no_rotation():
    """
    Without the rule for empty lists, its first property, the rarest in the rotations, would lead.
    """
    lead, chance = labels.leads(scored([0], [[0.0, 0.0]]), scored([[1]], [[[0.0, 0.5]]]))

    assert (lead.tolist(), chance.tolist()) == ([0.0], [[0.25]])


def test_a_pool_of_one_property_leads_over_nothing():
    lead, chance = labels.leads(scored([0], [[0.5]]), scored([[0]], [[[0.0]]]))

    assert (lead.tolist(), chance.tolist()) == ([0.25], [[0.0]])


def test_p_adds_one_to_both_sides():
    rotated = torch.tensor([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])

    p = labels.p_values(torch.tensor([0.2, 0.01]), rotated)

    assert p.tolist() == [3 / 4, 1 / 4]


def test_q_values_are_those_of_benjamini_and_hochberg():
    """
    The example of their paper: of 15 p-values, four have a q-value below 0.05.
    """
    p = torch.tensor(
        [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
         0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0],
        dtype=torch.float64,
    )  # fmt: skip
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))

    q = labels.benjamini_hochberg(p[order])

    assert (q <= 0.05).sum() == 4
    assert q[order.argsort()][:4].tolist() == pytest.approx([0.0015, 0.003, 0.0095, 0.035625])
    assert q.max() == 1.0


NAMES = ("animal", "color", "food", "shape", "sport", "weather")
EACH = 8
RANK = EACH * len(NAMES)
ITSELF = torch.eye(RANK, dtype=torch.float64)


@pytest.fixture(scope="module")
def pool():
    """180 texts in a space of 48 dimensions; the texts of one property share 8 dimensions.

    Properties have 20 to 40 texts: with equal numbers, tails and p-values would take few distinct values.
    """
    generator = torch.Generator().manual_seed(0)
    carried = torch.arange(len(NAMES)).repeat_interleave(4 * torch.arange(len(NAMES)) + 20)
    tags = torch.nn.functional.one_hot(carried).bool()
    text = torch.randn(len(tags), RANK, generator=generator, dtype=torch.float64)
    return text * (0.1 + tags.repeat_interleave(EACH, dim=1)), tags


def pick_texts(heads, pool, rotations):
    """First ten texts of heads and of their rotations; a head is a covariance and its basis."""
    text, _ = pool
    covariance, basis = (torch.stack(part) for part in zip(*heads, strict=True))
    chosen = picks(textspan_heads(covariance, text, basis, k=10), 10)
    own_rank = torch.full((len(basis),), RANK)
    return chosen, rotated_heads(covariance, text, basis, own_rank=own_rank, k=10, rotations=rotations)


def by_variance_share(head_picks, tags):
    observed, null = (labels.leading(one, tags) for one in head_picks)
    return labels.labels_by_variance_share(observed, null, NAMES, picks=10)


def by_enrichment(head_picks, tags):
    observed, null = (labels.enrich(one.text_index, tags) for one in head_picks)
    return labels.labels_by_enrichment(observed, null, NAMES, picks=10)


METHODS = pytest.mark.parametrize("method", [by_variance_share, by_enrichment])


def noise(heads):
    """Heads with one spectrum, in random bases unrelated to the texts."""
    generator = torch.Generator().manual_seed(5)
    spectrum = torch.diag(torch.logspace(0, -3, RANK, dtype=torch.float64))
    basis = torch.linalg.qr(torch.randn(heads, RANK, RANK, generator=generator, dtype=torch.float64)).Q
    return [(spectrum, one) for one in basis]


@pytest.fixture(scope="module")
def noise_picks(pool):
    return pick_texts(noise(240), pool, rotations=59)


@METHODS
def test_a_head_planted_on_one_property_is_labeled_so_and_supported(pool, method):
    """
    Its variance lies in the eight dimensions of one property. Nine noise heads are tested with it.
    """
    planted = torch.full((RANK,), 1e-3, dtype=torch.float64)
    planted[EACH : 2 * EACH] = torch.linspace(1, 0.5, EACH)

    head_picks = pick_texts([(torch.diag(planted), ITSELF), *noise(9)], pool, rotations=199)
    found = method(head_picks, pool[1])[0]

    assert (found.label, found.picks) == ("color", 10)
    assert found.p_value == 1 / 200
    assert found.supported


def test_a_property_of_few_dimensions_is_found_among_low_variance_picks(pool):
    """
    The texts of color span two dimensions, which two picks use up, so unweighted counts of ten find nothing.
    """
    text, tags = pool
    color = tags[:, NAMES.index("color"), None]
    few = torch.zeros(RANK, dtype=torch.bool)
    few[EACH : EACH + 2] = True
    [(spectrum, basis)] = noise(1)
    rest = basis.T @ spectrum @ basis
    covariance = rest / rest.trace() + torch.diag(few.double())

    head_picks = pick_texts([(covariance, ITSELF)], (text.where(~color | few, 0), tags), rotations=199)
    [weighted], [counted] = by_variance_share(head_picks, tags), by_enrichment(head_picks, tags)

    assert (weighted.label, weighted.supported) == ("color", True)
    assert weighted.share > 0.6
    assert not counted.supported


def test_heads_of_noise_lead_at_five_per_cent(noise_picks, pool):
    found = by_variance_share(noise_picks, pool[1])

    assert 3 <= sum(label.p_value <= 0.05 for label in found) <= 20  # 12 expected
    assert sum(label.supported for label in found) <= 3


def test_heads_of_noise_are_enriched_at_five_per_cent_or_less(noise_picks, pool):
    """
    Tails are discrete, so the rate is their next possible value below 0.05: here 0.017, 4 of 240 heads.
    """
    found = by_enrichment(noise_picks, pool[1])

    assert 1 <= sum(label.p_value <= 0.05 for label in found) <= 18
    assert sum(label.supported for label in found) <= 3


def test_a_head_without_picks_has_labels_that_nothing_supports(pool):
    head_picks = pick_texts([(torch.zeros(RANK, RANK), ITSELF)], pool, rotations=19)
    [weighted], [counted] = by_variance_share(head_picks, pool[1]), by_enrichment(head_picks, pool[1])

    assert (weighted.share, weighted.lead, weighted.tail) == (0.0, 0.0, None)
    assert (counted.share, counted.lead, counted.tail) == (None, None, 1.0)
    assert weighted.p_value == counted.p_value == weighted.q_value == counted.q_value == 1.0
    assert not weighted.supported and not counted.supported
