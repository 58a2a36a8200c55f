"""Checks of `verify-paper` on texts of heads: against float64, released texts, and released labels."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from db.layout import head_name
from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition, moments, textspan
from precompute.method.types import Head, HeadSpaces, Pool, TextSpan
from precompute.runtime import progress
from precompute.tools import label_agreement
from precompute.tools.verify_paper import checks, float64_reference, text_overlap
from precompute.tools.verify_paper.checks import Check, check, skipped

FLOAT64_IMAGES = 128
"""Number of images in float64: more than a head has directions; each takes about three times as long."""

PICKS = 60

Result = TypeVar("Result")
TextsOf = Mapping[Head, Sequence[str]]


class HeadTextLists(NamedTuple):
    """Our texts of all heads."""

    pool: Pool
    text: Float[Tensor, "text d_out"]
    spaces: HeadSpaces
    spans: dict[Head, TextSpan]

    @property
    def lists(self) -> dict[Head, list[str]]:
        """Texts of each head in order of choice."""
        return {
            head: [self.pool.texts[row] for row in span.text_index.tolist()]
            for head, span in self.spans.items()
        }


def places(spaces: HeadSpaces) -> list[tuple[Head, int, int]]:
    """Returns every decomposed head with its indices on the axes `layer` and `head`."""
    heads = spaces.basis.shape[1]
    return [((layer, head), row, head) for row, layer in enumerate(spaces.layers) for head in range(heads)]


def describe_heads(
    covariance: Float[Tensor, "layer head rank rank"],
    spaces: HeadSpaces,
    pool: Pool,
    text: Float[Tensor, "text d_out"],
) -> HeadTextLists:
    """Runs TEXTSPAN on every decomposed head, as a run does."""

    def describe(row: int, column: int) -> TextSpan:
        coordinates = textspan.text_coordinates(text, spaces.basis[row, column].cpu())
        return textspan.textspan(covariance[row, column], coordinates, k=PICKS)

    return HeadTextLists(pool, text, spaces, _for_each_head(places(spaces), "texts of heads", describe))


def as_in_double(
    model: clip.Clip,
    plan: decomposition.Plan,
    distinct: Mapping[str, images.ImageFile],
    pool: Pool,
    text: Float[Tensor, "text d_out"],
) -> list[Check]:
    """Checks contributions and texts in float32 against float64, on the first FLOAT64_IMAGES images."""
    few = dict(islice(distinct.items(), FLOAT64_IMAGES))
    batches = [pixels for _, pixels in images.pixel_batches(few, model.preprocess, batch_size=16, workers=0)]
    captures = (clip.capture(model, pixels.to(model.device), plan.layers) for pixels in batches)
    single = torch.cat([decomposition.decompose(plan, captured).head.cpu() for captured in captures])
    tracked = progress.track(batches, "in float64", total=len(batches), unit="batch")
    exact = float64_reference.coordinates(float64_reference.in_double(model), plan.spaces, tracked)
    group = torch.zeros(len(single), dtype=torch.long)
    covariance = moments.pooled(moments.from_coordinates(single, group, groups=1)).covariance
    return against_double(single, exact, describe_heads(covariance, plan.spaces, pool, text))


def against_double(
    single: Float[Tensor, "image layer head rank"],
    exact: Float[Tensor, "image layer head rank"],
    head_texts: HeadTextLists,
) -> list[Check]:
    """Checks coordinates of the same images in both precisions, and the texts that follow."""

    def describe(row: int, column: int) -> list[int]:
        coordinates = textspan.text_coordinates(head_texts.text, head_texts.spaces.basis[row, column].cpu())
        return float64_reference.picks(exact[:, row, column], coordinates, PICKS)

    differences = []
    for head, theirs in _for_each_head(places(head_texts.spaces), "texts in float64", describe).items():
        ours, margin = head_texts.spans[head].text_index.tolist(), head_texts.spans[head].margin.tolist()
        differences.append(checks.compare_picks(ours, theirs, margin, head=head_name(*head)))
    error = float((single.double() - exact).abs().nan_to_num(nan=torch.inf).max())
    most, note = checks.LARGEST_ERROR, "largest error; computed independently, by the formula"
    return [
        check("contributions as in float64", error, most=most, note=note),
        checks.texts_in_double(differences),
    ]


def overlaps(
    head_texts: HeadTextLists, halves: Sequence[Float[Tensor, "layer head rank rank"]], theirs: TextsOf
) -> list[Check]:
    """Compares our texts with released ones, and two reruns, each on half of the images, with each other."""
    ours = {head: texts for head, texts in head_texts.lists.items() if head in theirs}
    theirs = {head: theirs[head] for head in ours}
    others = text_overlap.of_other_heads(theirs)
    longest = max(map(len, theirs.values()))
    first, second = _reruns(head_texts, halves, ours, min(PICKS, longest))
    results = []
    for k in (k for k in text_overlap.DEPTHS if k <= longest):
        shares = text_overlap.shares(ours, theirs, k)
        worst = int(shares.argmin())
        results.append(
            checks.overlap(
                f"overlap@{k} with the texts of others",
                float(shares.mean()),
                rerun=float(text_overlap.shares(first, second, k).mean()),
                other=float(text_overlap.shares(ours, others, k).mean()),
                worst=f"{head_name(*sorted(ours)[worst])} {float(shares[worst]):.2f}",
            )
        )
    return results


def labels(
    head_texts: HeadTextLists,
    released: Mapping[Head, str],
    theirs: TextsOf | None,
    synonyms: Mapping[str, frozenset[str]],
) -> list[Check]:
    """Checks labels of our texts, and of released texts, against released labels."""
    ours = label_agreement.compare(head_texts.lists, released, head_texts.pool, synonyms)
    name, unknown = "our labels agree with released ones", label_agreement.unknown_words(ours)
    if not any(row.stands_for for row in ours):
        return [skipped(name, f"no released word stands for a property of the pool; {unknown}")]
    agrees = torch.tensor([[label.ours.label in row.stands_for for row in ours] for label in ours])
    right, permuted = int(agrees.diagonal().sum()), label_agreement.permuted_agreement(ours) * len(ours)
    note = f"probability by chance; {right} of {len(ours)} agree, {permuted:.1f} if permuted at random"
    note += f"; {unknown}" if unknown else ""
    chance = checks.permutation_p_value(agrees)
    agreement = check(name, chance, most=checks.LEVEL, note=note)
    name = "as many agree as with the texts of others"
    if theirs is None:
        return [agreement, skipped(name, "no TEXTSPAN given")]
    compared = label_agreement.compare(theirs, released, head_texts.pool, synonyms)
    reference = {row.head: row.agrees for row in compared}
    pairs = [(row.agrees, reference[row.head]) for row in ours if row.head in reference]
    return [agreement, checks.sign_test_check(name, pairs)]


def _reruns(
    head_texts: HeadTextLists,
    halves: Sequence[Float[Tensor, "layer head rank rank"]],
    selected: Mapping[Head, object],
    k: int,
) -> tuple[dict[Head, list[int]], dict[Head, list[int]]]:
    """Returns picks of each selected head: by our rule on one half, by the reference's on the other."""
    text, spaces = head_texts.text, head_texts.spaces
    heads = spaces.basis.shape[1]

    def both(row: int, column: int) -> tuple[list[int], list[int]]:
        basis, rank = spaces.basis[row, column].cpu(), int(spaces.rank[row, column])
        coordinates = textspan.text_coordinates(text, basis)
        first = textspan.textspan(halves[0][row, column], coordinates, k=k).text_index.tolist()
        second = halves[1][row, column]
        return first, text_overlap.rerun(second, basis, rank, text, k=k, seed=row * heads + column)

    heads_selected = [place for place in places(spaces) if place[0] in selected]
    picks = _for_each_head(heads_selected, "texts of halves", both)
    return {head: pair[0] for head, pair in picks.items()}, {head: pair[1] for head, pair in picks.items()}


def _for_each_head(
    heads: Sequence[tuple[Head, int, int]], title: str, compute: Callable[[int, int], Result]
) -> dict[Head, Result]:
    """Returns `compute(row, column)` of every head, with one thread per head."""
    with progress.bar(title, total=len(heads), unit="head") as bar:

        def compute_head(number: int) -> Result:
            result = compute(*heads[number][1:])
            bar.update()
            return result

        results = textspan.each_head(compute_head, len(heads), torch.get_num_threads())
    return {head: result for (head, _, _), result in zip(heads, results, strict=True)}
