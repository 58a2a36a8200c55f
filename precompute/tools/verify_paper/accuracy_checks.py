"""Checks of `verify-paper` that need known classes or masks: mean-ablation and ImageNet-Segmentation."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute import clip
from precompute.tools.verify_paper import checks, classes
from precompute.tools.verify_paper.checks import ACCURACY_ROOM, ERRORS, SEGMENTATION_ROOM, Check, check, noted
from precompute.tools.verify_paper.image_pass import PassResult
from precompute.tools.verify_paper.published_figures import ACCURACY, MLPS, SEGMENTATION, Figure
from precompute.validation import segmentation, segmentation_scores

NOT_ALL = "the images are not of all {classes} classes, and published figures are over all of them"
NO_FIGURE = "no published figure of this model"

DRAWS = 200
"""Number of samples of the bootstrap."""


def ablation(
    images_pass: PassResult,
    image_class: Int[Tensor, " image"],
    text: Float[Tensor, "class d_out"],
    figures: Mapping[str, Figure],
) -> list[Check]:
    """Checks zero-shot accuracy before and after parts are replaced by their mean over the images.

    This is the direct effect, as in the released code (`compute_ablations.py`): later layers do not change,
    and the input counts as an MLP. Images with class NONE are ignored; at least one image needs a class.
    """
    with_class = image_class != classes.NONE
    image_class = image_class[with_class]
    embedding, early, mlps = (
        part[with_class] for part in (images_pass.embedding, images_pass.early, images_pass.mlps)
    )

    def right(part: Float[Tensor, "image d_out"]) -> Bool[Tensor, " image"]:
        ablated = embedding - part + part.mean(dim=0)
        return classes.answers(ablated, text) == image_class

    before = classes.answers(embedding, text) == image_class
    lost, error = checks.loss(before, right(mlps))
    complete = len(image_class.unique()) == len(text)
    figures, why = (figures, NO_FIGURE) if complete else ({}, NOT_ALL.format(classes=len(text)))
    accuracy, room = 100 * float(before.double().mean()), ERRORS * checks.standard_error(before)
    without_mlps, room_of_loss = "points lost with input and MLPs at their mean", ERRORS * error
    return [
        _compare("zero-shot accuracy", accuracy, figures.get(ACCURACY), ACCURACY_ROOM + room, why),
        _compare(without_mlps, lost, figures.get(MLPS), ACCURACY_ROOM + room_of_loss, why),
        _without_early(before, right(early), right(embedding - early - mlps)),
    ]


def segmented(
    model: clip.Clip,
    path: Path,
    text: Float[Tensor, "class d_out"],
    limit: int | None,
    figures: Mapping[str, Figure],
) -> list[Check]:
    """Checks the three figures of ImageNet-Segmentation, with pictures cropped as in the released code.

    Uses `limit` pictures, spread evenly over the file.
    """
    answers = segmentation_scores.answers(model, path, text, limit=limit, as_released=True)
    total = segmentation.figures(answers)
    return [
        _compare(name, 100 * ours, figures.get(name), SEGMENTATION_ROOM + ERRORS * (100 * error))
        for name, ours, error in zip(SEGMENTATION, total[:3], standard_errors(answers), strict=True)
    ]


def standard_errors(answers: Sequence[segmentation.Answer]) -> list[float]:
    """Returns standard errors of the three figures over pictures, by the bootstrap; NaN for one picture."""
    if len(answers) < 2:
        return [nan] * 3
    samples = np.random.default_rng(0).integers(0, len(answers), (DRAWS, len(answers)))
    resampled = [segmentation.figures([answers[i] for i in sample])[:3] for sample in samples]
    return np.std(resampled, axis=0, ddof=1).tolist()


def _without_early(
    before: Bool[Tensor, " image"], after: Bool[Tensor, " image"], without_late: Bool[Tensor, " image"]
) -> Check:
    ours, _ = checks.loss(before, after)
    late, _ = checks.loss(before, without_late)
    more, error = checks.loss(after, without_late)
    result = check(
        "points lost with the attention of early layers at its mean",
        ours,
        most=ours + more - ERRORS * error,
        note=f"the decomposed layers' attention costs {late:.2f}; the paper draws both and no number could "
        "be read, so early layers must cost less, beyond sampling",
    )
    # A model without correct answers loses nothing in both cases, and must not pass.
    return result._replace(passed=more > ERRORS * error)


def _compare(name: str, ours: float, figure: Figure | None, room: float, why: str = NO_FIGURE) -> Check:
    """Checks that a figure is within `room` of the published one; without one, notes it and states why."""
    if figure is None:
        return noted(name, ours, why)
    reference = figure.low if figure.low == figure.high else None
    low, high = figure.low - room, figure.high + room
    return check(name, ours, reference=reference, least=low, most=high, note=figure.citation)
