"""TEXTSPAN: describe one attention head by a short ordered list of texts.

Greedy: choose the text along which the head's outputs vary most, remove that direction from the outputs and
from every text, repeat. Gandelsman et al. 2024, Algorithm 1 (https://arxiv.org/abs/2310.05916), on second
moments: with S the covariance of the outputs and t a text, the paper's score is t'S t, so the algorithm needs
no images and its cost does not depend on their number.

S and the texts are never modified. Let u be the unit direction of a choice, orthogonal to all earlier ones,
and w = S u minus its part along them. A removal changes every score and squared length to

    t'S t  ->  t'S t - (t·u) (2 t·w - (t·u)(u·w)),    |t|^2  ->  |t|^2 - (t·u)^2

so a step costs two products [text, rank] x [rank], and many covariances share the texts.

Knows nothing of models, files or properties: tensors in, NamedTuple out. Tests compare every pick with the
reference implementation.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from precompute.method.types import Picks, TextSpan

Result = TypeVar("Result")

SPENT = 1e-6
"""A text is spent if less than this share of its squared length is left: the rest is rounding."""

EXHAUSTED = 1e-9
"""Selection ends if less than this share of the head's variance is left."""

TIE = 1e-12
"""Scores within this share of the best tie; the lower row wins: equal texts differ only by rounding."""

VOID = 1e-12
"""Selection ends if the best choice would remove less than this share of the variance."""

CHUNK = 16
"""Number of covariances scored at once; limits [chunk, text, rank] to tens of megabytes."""


def text_coordinates(
    text: Float[Tensor, "text d_out"], basis: Float[Tensor, "rank d_out"]
) -> Float[Tensor, "text rank"]:
    """Returns the coordinates of texts in a head's space, T Q', float64.

    Texts have unit length before this projection and are not renormalized after it: a text with a small part
    in this space must have a low score.
    """
    return text.double() @ basis.double().T


def textspan(
    covariance: Float[Tensor, "rank rank"], text: Float[Tensor, "text rank"], *, k: int = 60
) -> TextSpan:
    """Returns the texts that best span one head: `k`, or fewer if texts or variance run out.

    float64. Ties go to the lower row of `text`. Never picks a text twice.
    """
    selection = _greedy_selection(covariance.double()[None], text.double(), k)
    count = int((selection.text[0] >= 0).sum())
    total = covariance.double().diagonal().sum()
    share = selection.removed[0, :count] / total
    return TextSpan(selection.text[0, :count], share, share.cumsum(0), selection.margin[0, :count])


def textspan_heads(
    covariance: Float[Tensor, "head rank rank"],
    text: Float[Tensor, "text d_out"],
    basis: Float[Tensor, "head rank d_out"],
    *,
    k: int = 60,
    workers: int = 1,
    of_one_length: bool = False,
) -> list[TextSpan]:
    """Returns `textspan` of every head; the same for any number of workers.

    With `of_one_length` all texts have one length in a head's space, as `equal_norm` scales them.
    """
    text = text.double()

    def describe_head(head: int) -> TextSpan:
        coordinates = text_coordinates(text, basis[head])
        return textspan(covariance[head], equal_norm(coordinates) if of_one_length else coordinates, k=k)

    return each_head(describe_head, len(basis), workers)


def rotated_heads(
    covariance: Float[Tensor, "head rank rank"],
    text: Float[Tensor, "text d_out"],
    basis: Float[Tensor, "head rank d_out"],
    *,
    own_rank: Int[Tensor, " head"],
    k: int = 20,
    rotations: int = 199,
    seed: int = 0,
    workers: int = 1,
) -> Picks:
    """Returns the first `k` choices for random rotations of heads, [head, rotation, k]: the null of labels.

    The covariance becomes G S G', with G uniform over rotations of the head's own dimensions. This has the
    distribution of G Λ G', with Λ the eigenvalues of S: the spectrum and the texts stay, the alignment of
    variance with texts is lost. float32, which is enough for a null. The same for any number of workers.
    """
    text = text.double()

    def describe_head(head: int) -> Picks:
        rank = int(own_rank[head])
        texts = text_coordinates(text, basis[head])[:, :rank].float().contiguous()
        rotation = random_rotations(rank, rotations, seed)
        return many_picks(rotation @ covariance[head, :rank, :rank].float() @ rotation.mT, texts, k=k)

    index, share = zip(*each_head(describe_head, len(basis), workers), strict=True)
    return Picks(torch.stack(index), torch.stack(share))


def equal_norm(text: Float[Tensor, "text rank"]) -> Float[Tensor, "text rank"]:
    """Returns texts scaled to unit length in a head's space, so that no text is favored for lying in it.

    A text with less than SPENT of its squared length in the space becomes 0: its direction there is rounding.
    """
    length = text.norm(dim=-1, keepdim=True)
    return torch.where(length.square() < SPENT, 0, text / length.clamp(min=torch.finfo(text.dtype).tiny))


def picks(spans: list[TextSpan], k: int) -> Picks:
    """Returns the first `k` choices of every head, [head, k]."""
    index = torch.full((len(spans), k), -1)
    share = torch.zeros(len(spans), k, dtype=torch.float64)
    for row, span in enumerate(spans):
        texts = span.text_index[:k]
        index[row, : len(texts)] = texts
        share[row, : len(texts)] = span.variance_share[:k]
    return Picks(index, share)


def many_picks(
    covariance: Float[Tensor, "batch rank rank"],
    text: Float[Tensor, "text rank"],
    *,
    k: int,
    text_mask: Bool[Tensor, "batch text"] | None = None,
    score: Float[Tensor, "batch text"] | None = None,
) -> Picks:
    """Returns the first `k` choices for many covariances over the same texts, or over those in `text_mask`.

    Computes in the precision of the covariances: float32 for nulls and replicates, whose picks are counted
    and not shown. `score` is `scores(covariance, text)` if already computed.
    """
    selection = _greedy_selection(covariance, text, k, text_mask, score)
    # A constant head has no choices, hence no shares; avoid 0 / 0.
    total = covariance.diagonal(dim1=-2, dim2=-1).sum(-1).clamp(min=torch.finfo(covariance.dtype).tiny)
    return Picks(selection.text, selection.removed / total[:, None])


def scores(
    covariance: Float[Tensor, "batch rank rank"], text: Float[Tensor, "text rank"]
) -> Float[Tensor, "batch text"]:
    """Returns diag(T S T') of every covariance: variance along each text, the score of the first choice."""
    return torch.cat([(text @ part).mul_(text).sum(-1) for part in covariance.split(CHUNK)])


@lru_cache(maxsize=4)
def random_rotations(rank: int, count: int, seed: int) -> Float[Tensor, "rotation rank rank"]:
    """Returns Haar-uniform orthogonal matrices, float32: QR of Gaussian matrices, with the signs of diag(R).

    Cached and shared by heads of one rank, since they cost more than the picks; do not modify the result.
    """
    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(count, rank, rank, generator=generator, dtype=torch.float64))
    # Without the signs the distribution would depend on the LAPACK version and not be uniform.
    return (q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]).float()


def each_head(function: Callable[[int], Result], heads: int, workers: int) -> list[Result]:
    """Returns `function(head)` for every head, computed on `workers` threads with one torch thread each.

    The products are too small for several torch threads: on a busy machine their synchronization made
    TEXTSPAN 20 times slower than one thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, range(heads)))
    finally:
        torch.set_num_threads(before)


class _Selection(NamedTuple):
    text: Int[Tensor, "batch k"]
    """Chosen texts; -1 after the last choice."""

    removed: Float[Tensor, "batch k"]
    """u'S u of each choice; 0 after the last one."""

    margin: Float[Tensor, "batch k"]


def _greedy_selection(
    covariance: Float[Tensor, "batch rank rank"],
    text: Float[Tensor, "text rank"],
    k: int,
    text_mask: Bool[Tensor, "batch text"] | None = None,
    score: Float[Tensor, "batch text"] | None = None,
) -> _Selection:
    """Greedy loop for many covariances over the same texts, or over those in `text_mask`."""
    if k < 1 or len(text) == 0:
        raise ValueError(f"cannot pick k={k} texts from a pool of {len(text)}.")
    total = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)  # [batch]
    left = total.clone()
    active = total > 0
    score = scores(covariance, text) if score is None else score
    start = text.square().sum(-1)
    length = start.expand_as(score).clone()
    score = score.masked_fill(length <= 0 if text_mask is None else ~text_mask | (length <= 0), -torch.inf)
    directions = covariance.new_zeros(len(covariance), 0, covariance.shape[-1])  # [batch, step, rank]

    steps = []
    max_steps = min(k, *text.shape)
    for step in range(max_steps):
        best, margin = _best(score)
        active = active & (left > EXHAUSTED * total) & margin.isfinite()  # not finite: every text is spent
        unit = _unit(text[best], directions)
        pull = (covariance @ unit[..., None])[..., 0]
        removed = (pull * unit).sum(-1)
        active = active & (removed > VOID * total)
        steps.append((best.where(active, -1), removed.where(active, 0), margin.where(active, 0)))
        if step == max_steps - 1 or not active.any():
            break

        left = left - removed
        pull = 2 * _without(pull, directions) - removed[:, None] * unit
        _remove(score, length, text, unit, pull)
        # Rounding must not bring a spent text back; the text of this step is spent.
        score.masked_fill_(length < SPENT * start, -torch.inf).scatter_(1, best[:, None], -torch.inf)
        directions = torch.cat([directions, unit[:, None]], dim=1)
    index, removed, margin = (torch.stack(column, dim=1) for column in zip(*steps, strict=True))
    pad = partial(functional.pad, pad=(0, k - index.shape[1]))
    return _Selection(pad(index, value=-1), pad(removed), pad(margin))


def _best(score: Float[Tensor, "batch text"]) -> tuple[Int[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Lowest text among those tied for the best score, and its margin over the next; NaN if all are spent."""
    top = score.amax(1)
    tied = score >= (top - TIE * top.abs())[:, None]
    best = tied.to(torch.uint8).argmax(1)  # the first of equal ones
    next_best = score.scatter(1, best[:, None], -torch.inf).amax(1)
    return best, (1 - next_best / top).clamp(0, 1)


def _unit(
    text: Float[Tensor, "batch rank"], directions: Float[Tensor, "batch step rank"]
) -> Float[Tensor, "batch rank"]:
    """Unit direction of a text, orthogonal to earlier directions."""
    # Twice: one pass leaves rounding as large as the removed part allows, too large for a nearly spent text.
    rest = _without(_without(text, directions), directions)
    return rest / rest.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(rest.dtype).tiny)


def _without(
    vector: Float[Tensor, "batch rank"], directions: Float[Tensor, "batch step rank"]
) -> Float[Tensor, "batch rank"]:
    along = directions @ vector[..., None]  # [batch, step, 1]
    return vector - (directions.mT @ along)[..., 0]


def _remove(
    score: Float[Tensor, "batch text"],
    length: Float[Tensor, "batch text"],
    text: Float[Tensor, "text rank"],
    unit: Float[Tensor, "batch rank"],
    pull: Float[Tensor, "batch rank"],
) -> None:
    """Removes the direction `unit` from scores and squared lengths, in place; `pull` is 2 w - (u·w) u."""
    along, change = (torch.cat([unit, pull]) @ text.T).chunk(2)  # [batch, text] each
    score.addcmul_(along, change, value=-1)
    length.addcmul_(along, along, value=-1)
