"""Consistency of a head's first texts with its label, and agreement between judges of it.

Concept consistency follows Madasu et al. 2025 (https://arxiv.org/abs/2503.11103), who ask language models;
`tag_match` is a rule that needs none. Tag match is not a judge: it uses the same tags that chose the label,
and pages that show it state this. Several draws from one model are not several judges either: their agreement
is the model's self-consistency.

Agreement between judges has three measures, since each misses something: raw agreement; Fleiss' kappa, which
corrects for chance but nears 0 when nearly all answers are the same, however well judges agree; and Gwet's
AC1, which does not.

Knows nothing of models or files: picks, labels, tags and answers in, answers and numbers out.
"""

from collections.abc import Sequence
from statistics import fmean

from jaxtyping import Bool, Int
from torch import Tensor

TAG_MATCH = "tag_match"
"""Name of the offline rule in the table `judgement`."""

TEXTS_JUDGED = 5
"""Number of first texts of a head that are judged."""


def tag_match(
    picks: Int[Tensor, "*list k"], label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]
) -> Bool[Tensor, "*list position"]:
    """Returns True for each of the first five texts that carries the label.

    `label` is an index into the properties of `tags`. A missing pick (-1) is never consistent; callers write
    no judgement for it.
    """
    first = picks[..., :TEXTS_JUDGED]
    carried = tags[first.clamp(min=0), label[..., None]]
    return carried & (first >= 0)


def majority(answers: Sequence[bool]) -> bool:
    """Returns True if more than half of the answers are yes. A tie is a no.

    The answers are draws of one judge, or answers of several judges.
    """
    if not answers:
        raise ValueError("there is no answer to take a majority of.")
    return 2 * sum(answers) > len(answers)


def raw_agreement(counts: Int[Tensor, "item answer"]) -> float | None:
    """Mean over items of the share of pairs of judges that agree: P of Fleiss 1971, p_a of Gwet 2008.

    Σ_k n_k (n_k - 1) / (n (n - 1)) for one item with n judges, n_k of which answer k. Higher is more
    agreement.

    `counts` holds the number of judges that gave each answer to each item. Every item has the same number of
    judges, two or more. None without items.

    Raises:
        ValueError: items differ in their number of judges, or have fewer than two.
    """
    judges = _judges(counts)
    if judges is None:
        return None
    agreeing = (counts * (counts - 1)).sum(1).double()
    return float((agreeing / (judges * (judges - 1))).mean())


def fleiss_kappa(counts: Int[Tensor, "item answer"]) -> float | None:
    """(P - P_e) / (1 - P_e) with P_e = Σ_k p_k², where p_k is the share of answer k among all answers.

    Fleiss 1971, Measuring nominal scale agreement among many raters, Psychological Bulletin 76(5). `counts`
    as in `raw_agreement`. None when all answers are the same (0 / 0).
    """
    agreement = raw_agreement(counts)
    share = _shares(counts)
    chance = sum(p**2 for p in share)
    return None if agreement is None or max(share) == 1 else (agreement - chance) / (1 - chance)


def gwet_ac1(counts: Int[Tensor, "item answer"]) -> float | None:
    """(p_a - p_e) / (1 - p_e) with p_e = Σ_k π_k (1 - π_k) / (K - 1), K the number of possible answers.

    Gwet 2008, Computing inter-rater reliability and its variance in the presence of high agreement, British
    Journal of Mathematical and Statistical Psychology 61(1); π_k is the share of answer k among all answers.
    `counts` as in `raw_agreement`, with a column for every possible answer.
    """
    agreement = raw_agreement(counts)
    if agreement is None:
        return None
    chance = sum(p * (1 - p) for p in _shares(counts)) / (counts.shape[1] - 1)
    return (agreement - chance) / (1 - chance)


def self_consistency(draws: Sequence[Sequence[bool]]) -> float | None:
    """Mean over judges and texts of max(#yes, #no) / #draws; None if no text was drawn twice.

    Our own formula: it measures how steady one judge is, not agreement between judges. Higher is steadier.

    `draws` has one entry for each judge and text. Entries with a single draw are ignored.
    """
    shares = [
        max(sum(answers), len(answers) - sum(answers)) / len(answers) for answers in draws if len(answers) > 1
    ]
    return fmean(shares) if shares else None


def _judges(counts: Int[Tensor, "item answer"]) -> int | None:
    """Number of judges of every item; None without items."""
    if not len(counts):
        return None
    judges = counts.sum(1)
    if int(judges.min()) != int(judges.max()) or int(judges[0]) < 2:
        raise ValueError(
            f"items have {int(judges.min())} to {int(judges.max())} judges; agreement needs the same number, "
            "two or more, for each. Leave out items that some judge did not answer."
        )
    return int(judges[0])


def _shares(counts: Int[Tensor, "item answer"]) -> list[float]:
    """Share of each answer among all answers; they sum to 1."""
    total = counts.sum(0).double()
    return (total / total.sum().clamp(min=1)).tolist()
