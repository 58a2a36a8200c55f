"""The steps of `verify-paper` on the texts of heads: in float64, beside those of others, and their labels."""

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
"""More than a head has directions; in float64 each takes about three times as long."""

PICKS = 60

Result = TypeVar("Result")
TextsOf = Mapping[Head, Sequence[str]]


class HeadTextLists(NamedTuple):
    """Our texts of the heads."""

    pool: Pool
    text: Float[Tensor, "text d_out"]
    spans: dict[Head, TextSpan]

    @property
    def lists(self) -> dict[Head, list[str]]:
        """The texts themselves, in the order they were chosen."""
        return {
            head: [self.pool.texts[row] for row in span.text_index.tolist()]
            for head, span in self.spans.items()
        }


def places(spaces: HeadSpaces) -> list[tuple[Head, int, int]]:
    """Every decomposed head, with its place on the axes `layer` and `head`."""
    heads = spaces.basis.shape[1]
    return [((layer, head), row, head) for row, layer in enumerate(spaces.layers) for head in range(heads)]


def describe_heads(
    covariance: Float[Tensor, "layer head rank rank"],
    spaces: HeadSpaces,
    pool: Pool,
    text: Float[Tensor, "text d_out"],
) -> HeadTextLists:
    """TEXTSPAN of every decomposed head, as a run does it."""

    def one(row: int, column: int) -> TextSpan:
        coordinates = textspan.text_coordinates(text, spaces.basis[row, column].cpu())
        return textspan.textspan(covariance[row, column], coordinates, k=PICKS)

    return HeadTextLists(pool, text, _each(places(spaces), "texts of heads", one))


def as_in_double(
    model: clip.Clip,
    plan: decomposition.Plan,
    distinct: Mapping[str, images.ImageFile],
    pool: Pool,
    text: Float[Tensor, "text d_out"],
) -> list[Check]:
    """Contributions and texts in float32 against float64, on the first FLOAT64_IMAGES images."""
    few = dict(islice(distinct.items(), FLOAT64_IMAGES))
    batches = [pixels for _, pixels in images.pixel_batches(few, model.preprocess, batch_size=16, workers=0)]
    captured = (clip.capture(model, pixels.to(model.device), plan.layers) for pixels in batches)
    single = torch.cat([decomposition.decompose(plan, one).head.cpu() for one in captured])
    tracked = progress.track(batches, "in float64", total=len(batches), unit="batch")
    exact = float64_reference.coordinates(float64_reference.in_double(model), plan.spaces, tracked)
    group = torch.zeros(len(single), dtype=torch.long)
    covariance = moments.pooled(moments.from_coordinates(single, group, groups=1)).covariance
    return against_double(single, exact, describe_heads(covariance, plan.spaces, pool, text), plan.spaces)


def against_double(
    single: Float[Tensor, "image layer head rank"],
    exact: Float[Tensor, "image layer head rank"],
    head_texts: HeadTextLists,
    spaces: HeadSpaces,
) -> list[Check]:
    """Coordinates of the same images in both precisions, and the texts that come of them."""

    def one(row: int, column: int) -> list[int]:
        coordinates = textspan.text_coordinates(head_texts.text, spaces.basis[row, column].cpu())
        return float64_reference.picks(exact[:, row, column], coordinates, PICKS)

    found = []
    for head, theirs in _each(places(spaces), "texts in float64", one).items():
        ours, margin = head_texts.spans[head].text_index.tolist(), head_texts.spans[head].margin.tolist()
        found.append(checks.unequal(ours, theirs, margin, head=head_name(*head)))
    error = float((single.double() - exact).abs().nan_to_num(nan=torch.inf).max())
    most, note = checks.LARGEST_ERROR, "largest error; computed apart, by the formula"
    return [
        check("contributions as in float64", error, most=most, note=note),
        checks.texts_in_double(found),
    ]


def overlaps(
    head_texts: HeadTextLists,
    halves: Sequence[Float[Tensor, "layer head rank rank"]],
    spaces: HeadSpaces,
    theirs: TextsOf,
) -> list[Check]:
    """Our texts against those of others; and two reruns, on a half of the images each, with each other."""
    mine = {head: one for head, one in head_texts.lists.items() if head in theirs}
    theirs = {head: theirs[head] for head in mine}
    others = text_overlap.of_other_heads(theirs)
    longest = max(map(len, theirs.values()))
    first, second = _reruns(head_texts, halves, spaces, mine, min(PICKS, longest))
    found = []
    for k in (k for k in text_overlap.DEPTHS if k <= longest):
        shares = text_overlap.shares(mine, theirs, k)
        worst = int(shares.argmin())
        found.append(
            checks.overlap(
                f"overlap@{k} with the texts of others",
                float(shares.mean()),
                rerun=float(text_overlap.shares(first, second, k).mean()),
                other=float(text_overlap.shares(mine, others, k).mean()),
                worst=f"{head_name(*sorted(mine)[worst])} {float(shares[worst]):.2f}",
            )
        )
    return found


def labels(
    head_texts: HeadTextLists,
    released: Mapping[Head, str],
    theirs: TextsOf | None,
    synonyms: Mapping[str, frozenset[str]],
) -> list[Check]:
    """Labels of our texts against released labels, and beside them labels of the texts of others."""
    ours = label_agreement.compare(head_texts.lists, released, head_texts.pool, synonyms)
    agrees = torch.tensor([[mine.ours.label in one.stands_for for one in ours] for mine in ours])
    right, dealt = int(agrees.diagonal().sum()), label_agreement.permuted_agreement(ours) * len(ours)
    note = f"probability by chance; {right} of {len(ours)} agree, {dealt:.1f} if dealt at random"
    chance = checks.permutation_p_value(agrees)
    found = check("our labels agree with released ones", chance, most=checks.LEVEL, note=note)
    beside = "as many agree as with the texts of others"
    if theirs is None:
        return [found, skipped(beside, "no TEXTSPAN given")]
    stored = {
        (row.layer, row.head): row.agrees
        for row in label_agreement.compare(theirs, released, head_texts.pool, synonyms)
    }
    pairs = [(row.agrees, stored[row.layer, row.head]) for row in ours if (row.layer, row.head) in stored]
    return [found, checks.sign_test_check(beside, pairs)]


def _reruns(
    head_texts: HeadTextLists,
    halves: Sequence[Float[Tensor, "layer head rank rank"]],
    spaces: HeadSpaces,
    wanted: Mapping[Head, object],
    k: int,
) -> tuple[dict[Head, list[int]], dict[Head, list[int]]]:
    """Texts of each wanted head from one half as we pick, from the other as the reference picks."""
    text, heads = head_texts.text, spaces.basis.shape[1]

    def both(row: int, column: int) -> tuple[list[int], list[int]]:
        basis, rank = spaces.basis[row, column].cpu(), int(spaces.rank[row, column])
        coordinates = textspan.text_coordinates(text, basis)
        first = textspan.textspan(halves[0][row, column], coordinates, k=k).text_index.tolist()
        second = halves[1][row, column]
        return first, text_overlap.rerun(second, basis, rank, text, k=k, seed=row * heads + column)

    todo = [one for one in places(spaces) if one[0] in wanted]
    found = _each(todo, "texts of halves", both)
    return {head: one for head, (one, _) in found.items()}, {head: one for head, (_, one) in found.items()}


def _each(
    todo: Sequence[tuple[Head, int, int]], what: str, one: Callable[[int, int], Result]
) -> dict[Head, Result]:
    """`one` of every head, by its places on the axes; a thread a head."""
    with progress.bar(what, total=len(todo), unit="head") as bar:

        def shown(number: int) -> Result:
            result = one(*todo[number][1:])
            bar.update()
            return result

        results = textspan.each_head(shown, len(todo), torch.get_num_threads())
    return {head: result for (head, _, _), result in zip(todo, results, strict=True)}
