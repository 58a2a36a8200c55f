"""Metrics of heads and of models: how well single properties describe single heads.

Concept consistency (CCS): Madasu et al. 2025 (https://arxiv.org/abs/2503.11103). Entanglement and
association carry the names of Madasu et al. 2024 (https://arxiv.org/abs/2409.06579), whose own definitions
could not be read; each docstring says what is computed here.

Model metrics come in two kinds: over all heads, as in the papers, and over supported ones. Chance is the
same formula on the labels and texts of rotated heads, the set of supported heads kept. A head whose property
has too few texts to judge by has no CCS; consistency is then a share of the heads that have one.

Every name used here is explained in `metric_info`. Knows nothing of models or files: labels and answers in,
numbers out.
"""

from collections import Counter
from collections.abc import Sequence
from math import comb
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import TextSpan

TEXTS_JUDGED = 5

MIN_TEXTS = 6
"""A property with fewer texts to judge by has no CCS: its head could not reach 5 and be told from chance."""

UNSCORED = -1
"""Stands for the CCS of a head that has none."""

HIGH, MODERATE, LOW = 5, 3, 1
"""CCS of a head that the paper calls high (exactly 5), moderate (exactly 3) and low (at most 1)."""


class ModelMetric(NamedTuple):
    """One row of the table `model_metric`, less the model."""

    metric: str
    heads_used: str
    """all or supported."""

    value: float | None
    chance: float | None
    """Mean over rotations of all heads; None where none is computed."""


def partners(labels: Sequence[str | int], supported: Sequence[bool] | None = None) -> list[int]:
    """p_h: number of other heads with the same label. An unsupported head partners nobody."""
    supported = supported if supported is not None else [True] * len(labels)
    count = Counter(label for label, counts in zip(labels, supported, strict=True) if counts)
    return [count[label] - 1 if counts else 0 for label, counts in zip(labels, supported, strict=True)]


def prefix_partners(labels: Sequence[str]) -> list[int]:
    """p_h where two labels match when one raw string begins the other.

    With this rule the uniqueness of the released labels is what a secondary source prints as published
    entanglement.
    """
    return [sum(one.startswith(other) or other.startswith(one) for other in labels) - 1 for one in labels]


def entanglement(partners: Sequence[int], m: int) -> float:
    """1 - (1/H) Σ_h C(H-1-p_h, m-1) / C(H-1, m-1), with p_h the partners of head h of H.

    The expected share of heads with a partner among m heads drawn at random: at m = H the plain share, at a
    common m comparable between models with different numbers of heads. In whole numbers until the end. Our
    own formula, under the name of Madasu et al. 2024. Lower is easier to interpret.
    """
    heads = len(partners)
    if not 1 <= m <= heads:
        raise ValueError(f"cannot draw m={m} heads from {heads}.")
    alone = sum(comb(heads - 1 - own, m - 1) for own in partners)
    return 1 - alone / (heads * comb(heads - 1, m - 1))


def uniqueness(partners: Sequence[int]) -> float:
    """1 - entanglement(H): the share of heads whose label no other head has. Higher is easier to interpret.

    With `prefix_partners` on released labels it is what a secondary source quotes as entanglement.
    """
    return 1 - entanglement(partners, len(partners))


def supported_share(supported: Bool[Tensor, " head"]) -> float:
    """#{h: q_h <= 0.05} / H: the share of heads whose label stands up to rotated heads.

    Our own formula; q of Benjamini and Hochberg 1995. Higher is easier to interpret.
    """
    return float(supported.double().mean())


def ccs(
    consistent: Bool[Tensor, "*list position"], scored: Bool[Tensor, "*list"] | None = None
) -> Int[Tensor, "*list"]:
    """Concept consistency score: how many of the first five texts agree with the label, 0 to 5.

    Madasu et al. 2025; in-sample where the texts are those that gave the label, cross-fitted where they are
    from the other half of the pool. UNSCORED where `scored` says so. Higher is easier to interpret.
    """
    count = consistent[..., :TEXTS_JUDGED].sum(-1)
    return count if scored is None else count.where(scored, UNSCORED)


def scored(label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]) -> Bool[Tensor, "*list"]:
    """Whether a label has a CCS: a property of six or more texts of the pool."""
    return (tags.sum(0) >= MIN_TEXTS)[label]


def association(ccs: Int[Tensor, "head ..."], m: int) -> Float[Tensor, "..."]:
    """association@m = #{h: CCS_h >= m} / #{h: CCS_h is defined}; NaN where no head has one.

    Our own formula, under the name of Madasu et al. 2024, whose threshold is not known. Higher is easier to
    interpret.
    """
    return _share(ccs >= m, ccs)


def ccs_at(ccs: Int[Tensor, "head ..."], k: int) -> Float[Tensor, "..."]:
    """CCS@k = #{h: CCS_h = k} / #{h: CCS_h is defined}: the form of Madasu et al. 2025.

    Higher is easier to interpret at k = 5, lower at 0; between them neither.
    """
    return _share(ccs == k, ccs)


def text_consistency(ccs: Int[Tensor, "head ..."]) -> Float[Tensor, "..."]:
    """Σ_h CCS_h / (5 #{h: CCS_h is defined}): the share of judged texts that agree with their head's label.

    Mean CCS of Madasu et al. 2025 over five. Higher is easier to interpret.
    """
    return ccs.clamp(min=0).double().sum(0) / (TEXTS_JUDGED * (ccs >= 0).sum(0))


def crossfit_ccs(ccs: Int[Tensor, "head ..."]) -> Float[Tensor, " head"]:
    """Mean of a head's cross-fitted CCS over splits and directions, where it has one; NaN where in none.

    The label from TEXTSPAN on one half of the pool, judged on the first five picks from the other: no text
    that gave the label is asked about it. Our own formula. Higher is easier to interpret.
    """
    flat = ccs.flatten(1)
    return flat.clamp(min=0).double().sum(1) / (flat >= 0).sum(1)


def crossfit(ccs: Int[Tensor, "head ..."]) -> dict[str, float | None]:
    """`text_consistency` and `association` of each split and direction, mean over those that define them."""
    found = {"text_consistency_crossfit": text_consistency(ccs)}
    found |= {f"association_{m}_crossfit": association(ccs, m) for m in range(1, TEXTS_JUDGED + 1)}
    return {name: _defined(value.nanmean()) for name, value in found.items()}


def label_metrics(
    label: Int[Tensor, " head"],
    rotated_label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> list[ModelMetric]:
    """Everything a model's labels and judgements say, over all and over supported heads, beside chance.

    `smallest` is the number of heads of the smallest model on the board. Chance has no value without
    rotations.
    """
    share = ModelMetric("supported_share", "all", supported_share(supported), None)
    everyone = torch.ones_like(supported)
    return [
        share,
        *_label_metrics(label, rotated_label, ccs, rotated_ccs, everyone, "all", smallest),
        *_label_metrics(label, rotated_label, ccs, rotated_ccs, supported, "supported", smallest),
    ]


def crossfit_metrics(
    ccs: Int[Tensor, "head split side"],
    rotated_ccs: Int[Tensor, "head rotation rotated_split side"],
    supported: Bool[Tensor, " head"],
) -> list[ModelMetric]:
    """Cross-fitted consistency over all and over supported heads, beside what rotated heads give."""
    rows = []
    for heads_used, used in [("all", torch.ones_like(supported)), ("supported", supported)]:
        rotations = [crossfit(one[used]) for one in rotated_ccs.unbind(1)]
        rows += [
            ModelMetric(metric, heads_used, value, mean([one[metric] for one in rotations]))
            for metric, value in crossfit(ccs[used]).items()
        ]
    return rows


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is defined; None where nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _label_metrics(
    label: Int[Tensor, " head"],
    rotated_label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    used: Bool[Tensor, " head"],
    heads_used: str,
    smallest: int,
) -> list[ModelMetric]:
    observed = _sharing(label, used, smallest) | _agreement(ccs[used])
    rotations = [
        _sharing(one, used, smallest) | _agreement(score[used])
        for one, score in zip(rotated_label.T, rotated_ccs.T, strict=True)
    ]
    return [
        ModelMetric(metric, heads_used, value, mean([one[metric] for one in rotations]))
        for metric, value in observed.items()
    ]


def _sharing(
    label: Int[Tensor, " head"], used: Bool[Tensor, " head"], smallest: int
) -> dict[str, float | None]:
    own = partners(label.tolist(), used.tolist())
    return {
        "entanglement": entanglement(own, len(own)),
        "entanglement_smallest": entanglement(own, smallest),
        "entanglement_2": entanglement(own, 2) if len(own) > 1 else None,
        "uniqueness": uniqueness(own),
    }


def _agreement(ccs: Int[Tensor, " head"]) -> dict[str, float | None]:
    known = ccs[ccs >= 0]
    return {
        **{f"association_{m}": _defined(association(ccs, m)) for m in range(1, TEXTS_JUDGED + 1)},
        "text_consistency": _defined(text_consistency(ccs)),
        **{f"ccs_at_{k}": _defined(ccs_at(ccs, k)) for k in range(TEXTS_JUDGED + 1)},
        "ccs_high": float((known == HIGH).sum()),
        "ccs_moderate": float((known == MODERATE).sum()),
        "ccs_low": float((known <= LOW).sum()),
    }


def _share(counts: Bool[Tensor, "head ..."], ccs: Int[Tensor, "head ..."]) -> Float[Tensor, "..."]:
    """Share of the heads with a CCS that count; NaN where there is none."""
    known = ccs >= 0
    return (counts & known).sum(0).double() / known.sum(0)


def _defined(value: Float[Tensor, ""]) -> float | None:
    return None if value.isnan() else float(value)


def coverage_metrics(shares: Float[Tensor, " component"], kinds: Sequence[str]) -> list[ModelMetric]:
    """Σ of tr Cov(c, e) / tr Cov(e) over the components c of one kind: their share of the embedding's
    covariance. The four sum to 1. Only of the heads, what is taken apart, is higher easier to interpret.

    `kinds` says of each share whether it is of the input, of attention not taken apart, of a head or of an
    MLP.
    """
    total = {"head": 0.0, "attention": 0.0, "mlp": 0.0, "input": 0.0}
    for share, kind in zip(shares.tolist(), kinds, strict=True):
        total[kind] += share
    names = {"head": "heads", "attention": "attention", "mlp": "mlps", "input": "input"}
    return [ModelMetric(f"coverage_{names[kind]}", "all", value, None) for kind, value in total.items()]


def coverage_replicates(
    shares: Float[Tensor, "replicate component"], kinds: Sequence[str]
) -> dict[tuple[str, str], list[float | None]]:
    """`coverage_metrics` of every replicate, under metric and heads used; nothing without replicates."""
    found: dict[tuple[str, str], list[float | None]] = {}
    for one in shares:
        for own in coverage_metrics(one, kinds):
            found.setdefault((own.metric, own.heads_used), []).append(own.value)
    return found


def spanned_variance(
    span: TextSpan,
    covariance: Float[Tensor, "rank rank"],
    text: Float[Tensor, "text rank"],
    *,
    own_rank: int,
    picks: int = 60,
    draws: int = 10,
    seed: int = 0,
) -> float | None:
    """(V_k - V_random) / (V_PCA - V_random): 1 is the best any k directions can do, 0 what random texts do.

    V is the share of variance within the span of k texts; k as in `spanned_texts`, and no more than the
    `picks` that TEXTSPAN was asked for. None where random texts do as well as the best directions, so that
    there is nothing to measure. Our own formula, since raw V of any 60 texts is large. Higher is easier to
    interpret.
    """
    covariance, text = covariance.double(), text.double()
    total = covariance.diagonal().sum()
    k = min(spanned_texts(own_rank, len(text)), picks)
    if k == 0 or not total > 0 or len(span.text_index) == 0:
        return None

    chosen = float(span.cumulative_share[:k][-1])
    best = float(torch.linalg.eigvalsh(covariance)[-k:].sum() / total)
    random = _random_span(covariance, text, k, draws, seed) / float(total)
    return (chosen - random) / (best - random) if best - random > 1e-9 else None


def spanned_texts(own_rank: int, texts: int) -> int:
    """k of the spanned variance: 60, but no more than nine tenths of the head's dimensions or than the pool.

    As many texts as dimensions span everything, chosen or random.
    """
    return min(60, own_rank * 9 // 10, texts)


def span_metrics(spanned: Sequence[float | None], supported: Bool[Tensor, " head"]) -> list[ModelMetric]:
    """Mean spanned variance, over all and over supported heads that have one.

    Higher is easier to interpret.
    """
    known = [
        (value, own) for value, own in zip(spanned, supported.tolist(), strict=True) if value is not None
    ]
    return [
        ModelMetric("mean_spanned_variance", "all", mean([value for value, _ in known]), None),
        ModelMetric("mean_spanned_variance", "supported", mean([value for value, own in known if own]), None),
    ]


def _random_span(
    covariance: Float[Tensor, "rank rank"], text: Float[Tensor, "text rank"], k: int, draws: int, seed: int
) -> float:
    """Variance within the span of k texts, mean over random draws of them."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randperm(len(text), generator=generator)[:k] for _ in range(draws)])
    drawn = text[rows]  # [draw, k, rank]
    size, direction = torch.linalg.eigh(drawn.mT @ drawn)
    within = size > 1e-12 * size[:, -1:]
    variance = (direction * (covariance @ direction)).sum(-2)  # [draw, rank]
    return float((variance * within).sum(-1).mean())
