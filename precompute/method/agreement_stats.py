"""Judges: is each of a head's first texts consistent with its label, and do those who say so agree?

Concept consistency as Madasu et al. ask it (https://arxiv.org/abs/2503.11103) of language models; beside it a
rule that needs none. Tag match is not a judge: it repeats the tags that chose the label, and a page that
shows it says so. Several draws of one model are not several judges either: how often they agree is its
self-consistency.

Agreement between judges is given three ways, since none says all: raw; Fleiss' kappa, which takes off what
chance would give, but nears 0 when nearly all answers are the same, however well judges agree; and Gwet's
AC1, which does not.

Knows nothing of models or files: picks, labels, tags and answers in, answers and numbers out.
"""

from collections.abc import Sequence
from statistics import fmean

from jaxtyping import Bool, Int
from torch import Tensor

TAG_MATCH = "tag_match"
"""Name of the offline rule in the table `judgement`."""

JUDGED = 5
"""Texts of a head that are judged, from the first."""


def tag_match(
    picks: Int[Tensor, "*list k"], label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]
) -> Bool[Tensor, "*list position"]:
    """Whether each of the first five texts carries the label.

    `label` is an index into the properties of `tags`. A text that was never picked (-1) is not consistent
    with anything; no judgement is to be written for it.
    """
    first = picks[..., :JUDGED]
    carried = tags[first.clamp(min=0), label[..., None]]
    return carried & (first >= 0)


def majority(answers: Sequence[bool]) -> bool:
    """Whether more than half say yes: of draws of one judge, or of judges. A tie is a no."""
    if not answers:
        raise ValueError("there is no answer to take a majority of.")
    return 2 * sum(answers) > len(answers)


def raw_agreement(counts: Int[Tensor, "item answer"]) -> float | None:
    """Mean over items of the share of pairs of judges that agree: P of Fleiss 1971, p_a of Gwet 2008.

    Σ_k n_k (n_k - 1) / (n (n - 1)) for one item of n judges, n_k of which say k. Higher is more agreement.

    `counts` says how many judges gave each answer to each item, the same number of judges, two or more, for
    every item. None where there is no item.

    Raises:
        ValueError: items differ in their number of judges, or have fewer than two.
    """
    judges = _judges(counts)
    if judges is None:
        return None
    agreeing = (counts * (counts - 1)).sum(1).double()
    return float((agreeing / (judges * (judges - 1))).mean())


def fleiss_kappa(counts: Int[Tensor, "item answer"]) -> float | None:
    """(P - P_e) / (1 - P_e) with P_e = Σ_k p_k², p_k the share of all answers that are k.

    Fleiss 1971, Measuring nominal scale agreement among many raters, Psychological Bulletin 76(5). `counts`
    as in `raw_agreement`. None where all answers are the same: 0 / 0.
    """
    agreement = raw_agreement(counts)
    share = _shares(counts)
    chance = sum(one**2 for one in share)
    return None if agreement is None or max(share) == 1 else (agreement - chance) / (1 - chance)


def gwet_ac1(counts: Int[Tensor, "item answer"]) -> float | None:
    """(p_a - p_e) / (1 - p_e) with p_e = Σ_k π_k (1 - π_k) / (K - 1), K the number of possible answers.

    Gwet 2008, Computing inter-rater reliability and its variance in the presence of high agreement, British
    Journal of Mathematical and Statistical Psychology 61(1); π_k is the share of all answers that are k.
    `counts` as in `raw_agreement`, with a column for every answer that could be given.
    """
    agreement = raw_agreement(counts)
    if agreement is None:
        return None
    chance = sum(one * (1 - one) for one in _shares(counts)) / (counts.shape[1] - 1)
    return (agreement - chance) / (1 - chance)


def self_consistency(draws: Sequence[Sequence[bool]]) -> float | None:
    """Mean over judges and texts of max(#yes, #no) / #draws; None where nothing was drawn twice.

    Our own formula: how steady one judge is, no agreement between judges. Higher is steadier.

    One entry for each judge and text; those drawn only once say nothing and are left out.
    """
    shares = [max(sum(one), len(one) - sum(one)) / len(one) for one in draws if len(one) > 1]
    return fmean(shares) if shares else None


def _judges(counts: Int[Tensor, "item answer"]) -> int | None:
    """Judges of every item; None where there is no item."""
    if not len(counts):
        return None
    each = counts.sum(1)
    if int(each.min()) != int(each.max()) or int(each[0]) < 2:
        raise ValueError(
            f"items have {int(each.min())} to {int(each.max())} judges; agreement needs the same number, "
            "two or more, for each. Leave out items that some judge did not answer."
        )
    return int(each[0])


def _shares(counts: Int[Tensor, "item answer"]) -> list[float]:
    """Share of all answers that are each answer; sums to 1."""
    total = counts.sum(0).double()
    return (total / total.sum().clamp(min=1)).tolist()
