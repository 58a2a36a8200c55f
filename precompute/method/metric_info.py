"""Title, description, unit and direction of every metric: the rows of the table `metric`.

Knows nothing of how a metric is computed.
"""

from typing import NamedTuple


class MetricInfo(NamedTuple):
    """One row of the table `metric`; METRICS has the order of the pages."""

    metric: str
    level: str
    """head or model."""

    title: str
    description: str
    """One sentence on what the metric measures."""

    unit: str = "share"
    direction: str = "higher"
    """higher, lower or neither: which end is easier to interpret."""

    unranked_reason: str | None = None
    """Why models are never ranked by it, where direction and level do not say so."""

    def row(self) -> dict[str, object]:
        """The row of the table, without its position."""
        reason = self.unranked_reason
        if self.level == "head":
            reason = "it is a metric of heads"
        elif self.direction == "neither":
            reason = reason or "neither end is better"
        return self._asdict() | {"ranked": reason is None, "unranked_reason": reason}


GROWS = "it grows with the number of heads, which differs between models"
"""In place of these metrics: entanglement_smallest."""

CIRCULAR = "it judges labels by the very texts that gave them"
"""In place of these metrics: the cross-fitted ones."""

LABELING = "it rests on labels that a person or a language model gave"


METRICS = (
    MetricInfo("ccs", "head", "Consistency (CCS)",
        "How many of the head's first five texts agree with its label, on the texts that gave the label.",
        "texts", "higher"),
    MetricInfo("ccs_rotated", "head", "Consistency by chance",
        "The same for the head rotated at random inside its own space: mean over rotations.",
        "texts", "neither"),
    MetricInfo("ccs_crossfit", "head", "Consistency, cross-fitted",
        "How many of the first five texts from one half of the pool agree with the label from the other "
        "half: mean over 20 splits in both directions.",
        "texts", "higher"),
    MetricInfo("ccs_crossfit_rotated", "head", "Cross-fitted consistency by chance",
        "The same for the head rotated at random inside its own space: mean over 20 rotations and 5 splits.",
        "texts", "neither"),
    MetricInfo("stability", "head", "Stability",
        "Share of random halves of the images and of the pool that give the head the same label."),
    MetricInfo("stability_images", "head", "Stability over images",
        "Share of random halves of the images, with the whole pool, that give the head the same label."),
    MetricInfo("stability_texts", "head", "Stability over texts",
        "Share of random halves of the pool, with all images, that give the head the same label."),
    MetricInfo("stability_rotated", "head", "Stability by chance",
        "Stability of the head rotated once at random inside its own space: share of 20 random halves that "
        "give its label on all data.",
        "share", "neither"),
    MetricInfo("equal_norm_overlap", "head", "Overlap with texts of equal length",
        "Share of the first ten texts that are also among the first ten when all texts have the same length "
        "in the head's space."),
    MetricInfo("spanned_variance", "head", "Spanned variance",
        "Variance that the head's texts span: 0 is the span of random texts, 1 that of the best directions."),
    MetricInfo("importance", "head", "Importance",
        "Root mean square change of the embedding under mean-ablation of the head, its direct effect alone.",
        "embedding length", "neither"),
    MetricInfo("coverage", "head", "Coverage",
        "Share of the embedding's covariance that the head accounts for; negative if it opposes the rest.",
        "share", "neither"),
    MetricInfo("supported_share", "model", "Supported heads",
        "Share of heads with a label significant against rotated heads (q at most 0.05) that at least two of "
        "the first ten texts carry."),
    MetricInfo("text_consistency_crossfit", "model", "Text consistency, cross-fitted",
        "Share of a head's first five texts that match its label: the label comes from one half of the "
        "texts, the five from the other."),
    MetricInfo("entanglement_smallest", "model", "Shared labels, same number of heads",
        "Expected share of heads with a partner of the same label among as many randomly drawn heads as the "
        "smallest model of the leaderboard has.",
        "share", "lower"),
    MetricInfo("entanglement", "model", "Shared labels",
        "Share of heads whose label another head of the model has; grows with the number of heads.",
        "share", "lower", GROWS),
    MetricInfo("entanglement_2", "model", "Shared labels, two heads",
        "Chance that two heads drawn from the model have the same label.",
        "share", "lower"),
    MetricInfo("uniqueness", "model", "Unique labels",
        "Share of heads whose label no other head has; a head without a supported label counts as unique.",
        "share", "higher", GROWS),
    *(
        MetricInfo(f"association_{m}", "model", f"Association at {m}",
            f"Share of heads with at least {m} of their first five texts in agreement with the label.",
            "share", "higher", CIRCULAR)
        for m in range(1, 6)
    ),
    *(
        MetricInfo(f"association_{m}_crossfit", "model", f"Association at {m}, cross-fitted",
            f"Share of heads with at least {m} of the first five texts from one half of the pool in "
            "agreement with the label from the other half.")
        for m in range(1, 6)
    ),
    MetricInfo("mean_stability", "model", "Stability",
        "Mean share of random halves of the images and of the pool that give a head the same label."),
    MetricInfo("mean_stability_rotated", "model", "Stability by chance",
        "The same for heads rotated at random inside their own spaces.",
        "share", "neither"),
    MetricInfo("text_consistency", "model", "Text consistency",
        "Share of the judged texts that agree with their head's label: mean CCS divided by five.",
        "share", "higher", CIRCULAR),
    *(
        MetricInfo(f"ccs_at_{k}", "model", f"Heads with a CCS of {k}",
            f"Share of heads with a CCS of exactly {k}, among those that have one (CCS@{k}).",
            "share", {0: "lower", 5: "higher"}.get(k, "neither"), CIRCULAR)
        for k in range(6)
    ),
    MetricInfo("ccs_high", "model", "High-CCS heads", "Heads with a CCS of 5.", "heads", "higher", GROWS),
    MetricInfo("ccs_moderate", "model", "Moderate-CCS heads",
        "Heads with a CCS of 3.",
        "heads", "neither", GROWS),
    MetricInfo("ccs_low", "model", "Low-CCS heads", "Heads with a CCS of 0 or 1.", "heads", "lower", GROWS),
    MetricInfo("mean_spanned_variance", "model", "Spanned variance",
        "Mean spanned variance of the heads that have one."),
    MetricInfo("coverage_heads", "model", "Coverage of heads",
        "Share of the embedding's covariance that the decomposed heads account for."),
    MetricInfo("coverage_attention", "model", "Coverage of earlier attention",
        "Share of the embedding's covariance that attention before the decomposed layers accounts for.",
        "share", "lower"),
    MetricInfo("coverage_mlps", "model", "Coverage of MLPs",
        "Share of the embedding's covariance that the MLPs of all layers account for.",
        "share", "neither"),
    MetricInfo("coverage_input", "model", "Coverage of the input",
        "Share of the embedding's covariance that enters the first layer.",
        "share", "neither"),
)  # fmt: skip
"""Every metric of a new bundle, in the order of the pages, metrics of a head first."""

LABELING_METRICS = (
    MetricInfo("ccs_chosen", "head", "Consistency of the chosen label",
        "How many of the head's first five texts agree with the shown label, by majority of judges; without "
        "judges, by the tags of the pool.",
        "texts", "higher"),
    MetricInfo("judge_agreement", "model", "Agreement of judges",
        "Share of pairs of language models that give the same answer on a text and its head's label.",
        "share", "higher", LABELING),
    MetricInfo("fleiss_kappa", "model", "Agreement of judges, Fleiss' kappa",
        "Agreement above chance, divided by its maximum; low if nearly all answers are the same.",
        "kappa", "higher", LABELING),
    MetricInfo("gwet_ac1", "model", "Agreement of judges, Gwet's AC1",
        "The same with a measure of chance that stays valid if nearly all answers are the same.",
        "AC1", "higher", LABELING),
    MetricInfo("self_consistency", "model", "Self-consistency of judges",
        "Share of a judge's draws that agree with the majority of its draws; not agreement between judges.",
        "share", "higher", LABELING),
)  # fmt: skip
"""Metrics that labels by language models and people add to a bundle (`headlight label`)."""
