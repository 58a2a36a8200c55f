"""Metrics of heads and of models: how well single properties describe single heads.

Concept consistency (CCS): Madasu et al. 2025 (https://arxiv.org/abs/2503.11103). Entanglement and
association have the names of Madasu et al. 2024 (https://arxiv.org/abs/2409.06579), whose definitions were
not available to us; each docstring states our formula.

Each model metric is computed over all heads, as in the papers, and over supported heads. Chance is the same
formula on the labels and texts of rotated heads, with the same set of supported heads. A head whose property
has too few texts has no CCS; consistency is then a share of the heads that have one.

`metric_info` describes every metric. Knows nothing of models or files: labels and answers in, numbers out.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress
from math import comb
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.agreement_stats import TEXTS_JUDGED
from precompute.method.types import TextSpan

MIN_TEXTS = 6
"""Minimum number of texts of a property for a CCS: with fewer, a CCS of 5 could not differ from chance."""

UNSCORED = -1
"""CCS of a head that has none."""

HIGH, MODERATE, LOW = 5, 3, 1
"""CCS that the paper calls high (exactly 5), moderate (exactly 3) and low (at most 1)."""


class ModelMetric(NamedTuple):
    """One row of the table `model_metric`, less the model."""

    metric: str
    heads_used: str
    """all or supported."""

    value: float | None
    chance: float | None
    """Mean over rotations of all heads; None if not computed."""


Name = tuple[str, str]
"""Metric, and the heads it averages over: all or supported."""

Metrics = dict[str, float | None]
"""Values of metrics by name."""


def partners(labels: Sequence[str | int], supported: Sequence[bool] | None = None) -> list[int]:
    """Returns p_h: the number of other heads with the same label. Unsupported heads have no partners."""
    supported = supported if supported is not None else [True] * len(labels)
    count = Counter(label for label, counts in zip(labels, supported, strict=True) if counts)
    return [count[label] - 1 if counts else 0 for label, counts in zip(labels, supported, strict=True)]


def entanglement(partners: Sequence[int], m: int) -> float:
    """1 - (1/H) Σ_h C(H-1-p_h, m-1) / C(H-1, m-1), with p_h the partners of head h of H.

    The expected share of heads with a partner among m heads drawn at random. m = H gives the plain share; a
    common m makes models with different numbers of heads comparable. Integer arithmetic until the division.
    Our own formula, under the name of Madasu et al. 2024. Lower is easier to interpret.
    """
    heads = len(partners)
    if not 1 <= m <= heads:
        raise ValueError(f"cannot draw m={m} heads from {heads}.")
    alone = sum(comb(heads - 1 - p, m - 1) for p in partners)
    return 1 - alone / (heads * comb(heads - 1, m - 1))


def uniqueness(partners: Sequence[int]) -> float:
    """1 - entanglement(H): the share of heads whose label no other head has. Higher is easier to interpret.

    On released labels, with partners whose label is a prefix, it equals the entanglement that a secondary
    source quotes.
    """
    return 1 - entanglement(partners, len(partners))


def supported_share(supported: Bool[Tensor, " head"]) -> float:
    """#{h: q_h <= 0.05, two picks carry the label} / H: the share of heads with a supported label.

    Our own formula; q of Benjamini and Hochberg 1995. Higher is easier to interpret.
    """
    return float(supported.double().mean())


def ccs(
    consistent: Bool[Tensor, "*list position"], scored: Bool[Tensor, "*list"] | None = None
) -> Int[Tensor, "*list"]:
    """Returns the concept consistency score: the number of first five texts that agree with the label.

    Madasu et al. 2025. In-sample if the texts are those that gave the label, cross-fitted if they come from
    the other half of the pool. UNSCORED where `scored` is False. Higher is easier to interpret.
    """
    count = consistent[..., :TEXTS_JUDGED].sum(-1)
    return count if scored is None else count.where(scored, UNSCORED)


def scored(label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]) -> Bool[Tensor, "*list"]:
    """Returns True for a label with a CCS: its property has six or more texts in the pool."""
    return (tags.sum(0) >= MIN_TEXTS)[label]


def association(ccs: Int[Tensor, "head ..."], m: int) -> Float[Tensor, "..."]:
    """association@m = #{h: CCS_h >= m} / #{h: CCS_h is defined}; NaN if no head has one.

    Our own formula, under the name of Madasu et al. 2024, whose threshold we do not know. Higher is easier to
    interpret.
    """
    return _share(ccs >= m, ccs)


def ccs_at(ccs: Int[Tensor, "head ..."], k: int) -> Float[Tensor, "..."]:
    """CCS@k = #{h: CCS_h = k} / #{h: CCS_h is defined}, as in Madasu et al. 2025.

    Higher is easier to interpret for k = 5, lower for k = 0, neither for other k.
    """
    return _share(ccs == k, ccs)


def text_consistency(ccs: Int[Tensor, "head ..."]) -> Float[Tensor, "..."]:
    """Σ_h CCS_h / (5 #{h: CCS_h is defined}): the share of judged texts that agree with their head's label.

    Mean CCS of Madasu et al. 2025 divided by five. Higher is easier to interpret.
    """
    return ccs.clamp(min=0).double().sum(0) / (TEXTS_JUDGED * (ccs >= 0).sum(0))


def crossfit_ccs(ccs: Int[Tensor, "head ..."]) -> Float[Tensor, " head"]:
    """Returns the mean of a head's cross-fitted CCS over the splits and directions that define it, else NaN.

    The label comes from TEXTSPAN on one half of the pool and is judged on the first five picks from the other
    half, so no text that gave the label judges it. Our own formula. Higher is easier to interpret.
    """
    flat = ccs.flatten(1)
    return flat.clamp(min=0).double().sum(1) / (flat >= 0).sum(1)


def crossfit(ccs: Int[Tensor, "head ..."]) -> Metrics:
    """Returns mean `text_consistency` and `association` over the splits and directions that define them."""
    metrics = {"text_consistency_crossfit": text_consistency(ccs)}
    metrics |= {f"association_{m}_crossfit": association(ccs, m) for m in range(1, TEXTS_JUDGED + 1)}
    return {name: _number(value.nanmean()) for name, value in metrics.items()}


def label_metrics(
    label: Int[Tensor, " head"],
    rotated_label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> list[ModelMetric]:
    """Returns all metrics of a model's labels and their CCS, over all and over supported heads, with chance.

    `smallest` is the number of heads of the smallest model of the leaderboard. Without rotations, chance is
    None.
    """
    rows = [ModelMetric("supported_share", "all", supported_share(supported), None)]
    for heads_used, used in [("all", torch.ones_like(supported)), ("supported", supported)]:
        observed = _sharing(label, used, smallest) | _agreement(ccs[used])
        chance = [
            _sharing(labels, used, smallest) | _agreement(scores[used])
            for labels, scores in zip(rotated_label.T, rotated_ccs.T, strict=True)
        ]
        rows += _rows(heads_used, observed, chance)
    return rows


def crossfit_metrics(
    ccs: Int[Tensor, "head split side"],
    rotated_ccs: Int[Tensor, "head rotation rotated_split side"],
    supported: Bool[Tensor, " head"],
) -> list[ModelMetric]:
    """Returns cross-fitted consistency over all and over supported heads; chance is that of rotated heads."""
    rows: list[ModelMetric] = []
    for heads_used, used in [("all", torch.ones_like(supported)), ("supported", supported)]:
        chance = [crossfit(rotation[used]) for rotation in rotated_ccs.unbind(1)]
        rows += _rows(heads_used, crossfit(ccs[used]), chance)
    return rows


def without_chance(
    label: Int[Tensor, " head"],
    ccs: Int[Tensor, " head"],
    crossed_ccs: Int[Tensor, "head split side"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> list[ModelMetric]:
    """Returns `label_metrics` and `crossfit_metrics` of one replicate or rotation; chance is None."""
    none = label[:, None][:, :0]
    rows = label_metrics(label, none, ccs, none, supported, smallest=smallest)
    return rows + crossfit_metrics(crossed_ccs, crossed_ccs[:, None][:, :0], supported)


def by_name(draws: Iterable[Sequence[ModelMetric]]) -> dict[Name, list[float | None]]:
    """Returns the values of each metric over replicates or rotations, by metric and heads used."""
    values: dict[Name, list[float | None]] = {}
    for rows in draws:
        for row in rows:
            values.setdefault((row.metric, row.heads_used), []).append(row.value)
    return values


def mean(values: Sequence[float | None]) -> float | None:
    """Returns the mean of the values that are not None; None if there are none."""
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _rows(heads_used: str, observed: Metrics, rotations: Sequence[Metrics]) -> list[ModelMetric]:
    """Returns the metrics of some heads; chance is the mean over rotations."""
    return [
        ModelMetric(metric, heads_used, value, mean([rotation[metric] for rotation in rotations]))
        for metric, value in observed.items()
    ]


def _sharing(label: Int[Tensor, " head"], used: Bool[Tensor, " head"], smallest: int) -> Metrics:
    counts = partners(label.tolist(), used.tolist())
    return {
        "entanglement": entanglement(counts, len(counts)),
        "entanglement_smallest": entanglement(counts, smallest),
        "entanglement_2": entanglement(counts, 2) if len(counts) > 1 else None,
        "uniqueness": uniqueness(counts),
    }


def _agreement(ccs: Int[Tensor, " head"]) -> Metrics:
    scores = ccs[ccs >= 0]
    return {
        **{f"association_{m}": _number(association(ccs, m)) for m in range(1, TEXTS_JUDGED + 1)},
        "text_consistency": _number(text_consistency(ccs)),
        **{f"ccs_at_{k}": _number(ccs_at(ccs, k)) for k in range(TEXTS_JUDGED + 1)},
        "ccs_high": float((scores == HIGH).sum()),
        "ccs_moderate": float((scores == MODERATE).sum()),
        "ccs_low": float((scores <= LOW).sum()),
    }


def _share(selected: Bool[Tensor, "head ..."], ccs: Int[Tensor, "head ..."]) -> Float[Tensor, "..."]:
    """Share of selected heads among those with a CCS; NaN if there are none."""
    scored = ccs >= 0
    return (selected & scored).sum(0).double() / scored.sum(0)


def _number(value: Float[Tensor, ""]) -> float | None:
    return None if value.isnan() else float(value)


def coverage_metrics(shares: Float[Tensor, " component"], kinds: Sequence[str]) -> list[ModelMetric]:
    """Σ tr Cov(c, e) / tr Cov(e) over the components c of a kind: their share of the embedding's covariance.

    The four shares sum to 1; None if all embeddings are equal. Higher is easier to interpret for heads only,
    since only they are decomposed.
    `kinds` names the kind of each share: input, attention (of layers without decomposed heads), head or mlp.
    """
    total = {"head": 0.0, "attention": 0.0, "mlp": 0.0, "input": 0.0}
    for share, kind in zip(shares.tolist(), kinds, strict=True):
        total[kind] += share
    names = {"head": "heads", "attention": "attention", "mlp": "mlps", "input": "input"}
    defined = not shares.isnan().any()
    return [
        ModelMetric(f"coverage_{names[kind]}", "all", value if defined else None, None)
        for kind, value in total.items()
    ]


def coverage_replicates(
    shares: Float[Tensor, "replicate component"], kinds: Sequence[str]
) -> dict[Name, list[float | None]]:
    """Returns `coverage_metrics` of every replicate by metric and heads used; empty without replicates."""
    return by_name(coverage_metrics(replicate, kinds) for replicate in shares)


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
    """(V_k - V_random) / (V_PCA - V_random): 1 for the best k directions, 0 for random texts.

    V is the share of variance within the span of k texts, with k from `spanned_texts` but at most `picks`,
    the number of texts requested from TEXTSPAN. None if random texts span as much as the best directions,
    which leaves nothing to measure. Our own formula, since V itself is large for any 60 texts. Higher is
    easier to interpret.
    """
    covariance, text = covariance.double(), text.double()
    total = covariance.diagonal().sum()
    k = min(spanned_texts(own_rank, len(text)), picks)
    if k == 0 or not total > 0 or len(span.text_index) == 0:
        return None

    spanned = float(span.cumulative_share[:k][-1])
    best = float(torch.linalg.eigvalsh(covariance)[-k:].sum() / total)
    random = _random_span(covariance, text, k, draws, seed) / float(total)
    return (spanned - random) / (best - random) if best - random > 1e-9 else None


def spanned_texts(own_rank: int, texts: int) -> int:
    """Returns k of the spanned variance: 60, at most nine tenths of the head's dimensions, at most the pool.

    As many texts as dimensions span the whole space, whether chosen or random.
    """
    return min(60, own_rank * 9 // 10, texts)


def head_means(
    metric: str,
    values: Sequence[float | None],
    supported: Bool[Tensor, " head"],
    chance: Sequence[float | None] = (),
) -> list[ModelMetric]:
    """Returns the mean of a metric of heads over all and over supported heads, with its chance if any."""
    rows = []
    for heads_used, used in [("all", [True] * len(values)), ("supported", supported.tolist())]:
        observed, expected = (mean(list(compress(column, used))) for column in (values, chance))
        rows.append(ModelMetric(metric, heads_used, observed, expected))
    return rows


def _random_span(
    covariance: Float[Tensor, "rank rank"], text: Float[Tensor, "text rank"], k: int, draws: int, seed: int
) -> float:
    """Variance within the span of k random texts, mean over draws."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randperm(len(text), generator=generator)[:k] for _ in range(draws)])
    random_texts = text[rows]  # [draw, k, rank]
    size, direction = torch.linalg.eigh(random_texts.mT @ random_texts)
    within = size > 1e-12 * size[:, -1:]
    variance = (direction * (covariance @ direction)).sum(-2)  # [draw, rank]
    return float((variance * within).sum(-1).mean())
