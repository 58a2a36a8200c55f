"""TEXTSPAN: describe one attention head by a short ordered list of texts.

Greedy: take the text along which the head's outputs vary most, remove that direction from the outputs and
from every text, repeat. Gandelsman et al. 2024, Algorithm 1 (https://arxiv.org/abs/2310.05916), on second
moments: with S the covariance of the outputs and t a text, the paper's score is t'S t, so the images
themselves are not needed and the cost does not grow with them.

Nothing is ever removed by rewriting S or the texts. With u the unit direction of a choice, at a right angle
to all chosen before, and w = S u less its part along them, removal changes every score by

    t'S t  ->  t'S t - (t·u) (2 t·w - (t·u)(u·w)),    |t|^2  ->  |t|^2 - (t·u)^2

so that a step costs two products [text, rank] x [rank] and the texts are shared by many covariances.

Knows nothing of models, files or properties: tensors in, NamedTuple out. Its one test of truth is the
reference implementation, pick by pick.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from precompute.method.types import Picks, TextSpan

Result = TypeVar("Result")

SPENT = 1e-6
"""A text is spent when less than this of its squared length is left: what remains is rounding."""

EXHAUSTED = 1e-9
"""A head is described when less than this of its variance is left."""

TIE = 1e-12
"""Scores within this share of the best are ties: equal texts differ by rounding alone, and the lower wins."""

VOID = 1e-12
"""A choice that would remove less than this share of the variance says nothing: no text is left that does."""

CHUNK = 16
"""Covariances scored at once; keeps [chunk, text, rank] in tens of megabytes."""


def text_coordinates(
    text: Float[Tensor, "text d_out"], basis: Float[Tensor, "rank d_out"]
) -> Float[Tensor, "text rank"]:
    """Texts in a head's own space, T Q', float64.

    Texts have unit length before this projection and are not renormalized after it: a text that says
    little in this space must score low.
    """
    return text.double() @ basis.double().T


def textspan(
    covariance: Float[Tensor, "rank rank"], text: Float[Tensor, "text rank"], *, k: int = 60
) -> TextSpan:
    """The texts that best span one head, at most `k`; fewer where texts or variance run out.

    float64. Ties go to the lower row of `text`. Never picks a text twice.
    """
    walk = _greedy_selection(covariance.double()[None], text.double(), k)
    stop = int((walk.text[0] >= 0).sum())
    total = covariance.double().diagonal().sum()
    share = walk.removed[0, :stop] / total
    return TextSpan(walk.text[0, :stop], share, share.cumsum(0), walk.margin[0, :stop])


def textspan_heads(
    covariance: Float[Tensor, "head rank rank"],
    text: Float[Tensor, "text d_out"],
    basis: Float[Tensor, "head rank d_out"],
    *,
    k: int = 60,
    workers: int = 1,
) -> list[TextSpan]:
    """`textspan` of every head; the same for any number of workers."""
    text = text.double()

    def one(head: int) -> TextSpan:
        return textspan(covariance[head], text_coordinates(text, basis[head]), k=k)

    return each_head(one, len(basis), workers)


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
    """`rotated_picks` of every head, [head, rotation, k]; the same for any number of workers."""
    text = text.double()

    def one(head: int) -> Picks:
        coordinates = text_coordinates(text, basis[head])
        rank = int(own_rank[head])
        return rotated_picks(
            covariance[head], coordinates, own_rank=rank, k=k, rotations=rotations, seed=seed
        )

    index, share = zip(*each_head(one, len(basis), workers), strict=True)
    return Picks(torch.stack(index), torch.stack(share))


def equal_norm(text: Float[Tensor, "text rank"]) -> Float[Tensor, "text rank"]:
    """Texts scaled to one length in a head's space, once: what the picks are when no text is favored for
    lying in it.

    A text of which less than SPENT of its squared length lies in the space has no direction there but that
    of its rounding, and none here.
    """
    length = text.norm(dim=-1, keepdim=True)
    return torch.where(length.square() < SPENT, 0, text / length.clamp(min=torch.finfo(text.dtype).tiny))


def picks(spans: list[TextSpan], k: int) -> Picks:
    """First `k` choices of every head, [head, k]."""
    index = torch.full((len(spans), k), -1)
    share = torch.zeros(len(spans), k, dtype=torch.float64)
    for row, span in enumerate(spans):
        chosen = span.text_index[:k]
        index[row, : len(chosen)] = chosen
        share[row, : len(chosen)] = span.variance_share[:k]
    return Picks(index, share)


def rotated_picks(
    covariance: Float[Tensor, "rank rank"],
    text: Float[Tensor, "text rank"],
    *,
    own_rank: int,
    k: int = 20,
    rotations: int = 199,
    seed: int = 0,
) -> Picks:
    """First `k` choices for the same head turned at random inside its own space: the null of its label.

    The covariance becomes G S G' with G uniform over rotations of the head's `own_rank` dimensions, which is
    G Λ G' with Λ its eigenvalues, in law: the spectrum and the texts stay, what is lost is which texts the
    variance lies along. float32: a null needs no more. [rotation, k].
    """
    turn = random_rotations(own_rank, rotations, seed)
    own = covariance[:own_rank, :own_rank].float()
    return many_picks(turn @ own @ turn.mT, text[:, :own_rank].float().contiguous(), k=k)


def many_picks(
    covariance: Float[Tensor, "batch rank rank"],
    text: Float[Tensor, "text rank"],
    *,
    k: int,
    text_mask: Bool[Tensor, "batch text"] | None = None,
    score: Float[Tensor, "batch text"] | None = None,
) -> Picks:
    """First `k` choices for many covariances over the same texts, or over the texts that each one holds.

    In the precision of the covariances: float32 for nulls and replicates, of which the picks are counted and
    not shown. `score` is `scores(covariance, text)` where it is known already.
    """
    walk = _greedy_selection(covariance, text, k, text_mask, score)
    # A head that never varies has no choices, hence no shares.
    total = covariance.diagonal(dim1=-2, dim2=-1).sum(-1).clamp(min=torch.finfo(covariance.dtype).tiny)
    return Picks(walk.text, walk.removed / total[:, None])


def scores(
    covariance: Float[Tensor, "batch rank rank"], text: Float[Tensor, "text rank"]
) -> Float[Tensor, "batch text"]:
    """diag(T S T') of every covariance: the variance along each text, which the first choice goes by."""
    return torch.cat([(text @ part).mul_(text).sum(-1) for part in covariance.split(CHUNK)])


@lru_cache(maxsize=4)
def random_rotations(rank: int, count: int, seed: int) -> Float[Tensor, "rotation rank rank"]:
    """Haar-uniform orthogonal matrices, float32: QR of Gaussian matrices with the signs of R's diagonal.

    Heads of one rank share them, since they cost more than the picks; the result is read-only.
    """
    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(count, rank, rank, generator=generator, dtype=torch.float64))
    # Without the signs the distribution is that of one LAPACK version, not uniform.
    return (q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]).float()


def each_head(one: Callable[[int], Result], heads: int, workers: int) -> list[Result]:
    """`one(head)` for every head, a thread a head, each with one thread of its own inside torch.

    The products are too small to be shared between threads: on a busy machine their meeting points made
    TEXTSPAN 20 times slower than one thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(one, range(heads)))
    finally:
        torch.set_num_threads(before)


class _Walk(NamedTuple):
    text: Int[Tensor, "batch k"]
    """Chosen text; -1 after the end."""

    removed: Float[Tensor, "batch k"]
    """u'S u of each choice; 0 after the end."""

    margin: Float[Tensor, "batch k"]


def _greedy_selection(
    covariance: Float[Tensor, "batch rank rank"],
    text: Float[Tensor, "text rank"],
    k: int,
    text_mask: Bool[Tensor, "batch text"] | None = None,
    score: Float[Tensor, "batch text"] | None = None,
) -> _Walk:
    """The greedy loop, for many covariances over the same texts or over those `text_mask`."""
    if k < 1 or len(text) == 0:
        raise ValueError(f"cannot pick k={k} texts from a pool of {len(text)}.")
    total = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)  # [batch]
    left = total.clone()
    alive = total > 0
    score = scores(covariance, text) if score is None else score
    start = text.square().sum(-1)
    length = start.expand_as(score).clone()
    score = score.masked_fill(length <= 0 if text_mask is None else ~text_mask | (length <= 0), -torch.inf)
    chosen = covariance.new_zeros(len(covariance), 0, covariance.shape[-1])  # [batch, step, rank]

    steps = []
    asked = min(k, *text.shape)
    for step in range(asked):
        best, margin = _best(score)
        alive = alive & (left > EXHAUSTED * total) & margin.isfinite()  # not finite: every text is spent
        unit = _unit(text[best], chosen)
        pull = (covariance @ unit[..., None])[..., 0]
        removed = (pull * unit).sum(-1)
        alive = alive & (removed > VOID * total)
        steps.append((best.where(alive, -1), removed.where(alive, 0), margin.where(alive, 0)))
        if step == asked - 1 or not alive.any():
            break

        left = left - removed
        pull = 2 * _without(pull, chosen) - removed[:, None] * unit
        _remove(score, length, text, unit, pull)
        # A spent text may not come back on rounding; the choice itself is one.
        score.masked_fill_(length < SPENT * start, -torch.inf).scatter_(1, best[:, None], -torch.inf)
        chosen = torch.cat([chosen, unit[:, None]], dim=1)
    index, removed, margin = (torch.stack(column, dim=1) for column in zip(*steps, strict=True))
    pad = (0, k - index.shape[1])
    return _Walk(
        functional.pad(index, pad, value=-1), functional.pad(removed, pad), functional.pad(margin, pad)
    )


def _best(score: Float[Tensor, "batch text"]) -> tuple[Int[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Lowest text among those tied for the best, and its lead over the next: NaN where all are spent."""
    top = score.amax(1)
    tied = score >= (top - TIE * top.abs())[:, None]
    best = tied.to(torch.uint8).argmax(1)  # the first of equals
    following = score.scatter(1, best[:, None], -torch.inf).amax(1)
    return best, (1 - following / top).clamp(0, 1)


def _unit(
    text: Float[Tensor, "batch rank"], chosen: Float[Tensor, "batch step rank"]
) -> Float[Tensor, "batch rank"]:
    """Direction of a text less what lies along the directions chosen before."""
    # Twice: one pass leaves rounding of the size of what was removed, large against a nearly spent text.
    rest = _without(_without(text, chosen), chosen)
    return rest / rest.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(rest.dtype).tiny)


def _without(
    vector: Float[Tensor, "batch rank"], chosen: Float[Tensor, "batch step rank"]
) -> Float[Tensor, "batch rank"]:
    along = chosen @ vector[..., None]  # [batch, step, 1]
    return vector - (chosen.mT @ along)[..., 0]


def _remove(
    score: Float[Tensor, "batch text"],
    length: Float[Tensor, "batch text"],
    text: Float[Tensor, "text rank"],
    unit: Float[Tensor, "batch rank"],
    pull: Float[Tensor, "batch rank"],
) -> None:
    """Take the direction `unit` out of scores and squared lengths, in place; `pull` is 2 w - (u·w) u."""
    along, pulled = (torch.cat([unit, pull]) @ text.T).chunk(2)  # [batch, text] each
    score.addcmul_(along, pulled, value=-1)
    length.addcmul_(along, along, value=-1)
