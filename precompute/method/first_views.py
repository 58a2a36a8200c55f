"""First views: which image, texts and heads show at first glance what a page is about.

A set of heads with one label reads every image as one of the label's texts: the text with the largest *fit*,
the score minus its mean over images and over the texts of the label. From that follow

    separation     share of the variance of the heads' output that the read text explains (epsilon squared)
    neighborhood   share of an image's nearest images that are read alike, times how much nearer they are
                   through the heads than as whole embeddings
    hot share      share of a map, in absolute values, that lies in one square of a ninth of the picture
    balance        share of two maps that is in one positive and one negative square of their difference

Values are compared in a few digits, and of equal ones the first wins, so that rounding in a forward pass
changes no choice. Labels, supported or not, are the caller's: tensors in, places and values out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import selectivity, zero_shot

DIGITS = 4
"""Digits behind the point by which values are compared."""

FITTING = 0.2
"""A text fits an image if its fit is positive and above that of all but this share of the images."""

SHOWN = 0.95
"""Patches beyond this quantile of a map's absolute values count as that quantile, as pages draw them: one
patch makes no hot region."""

MIN_SIDE = 4
"""Minimum number of rows and columns of patches: in fewer, one square is too much of the picture."""


class Choice(NamedTuple):
    """A choice and the value that it was made by."""

    place: tuple[int, ...]
    """Number on each axis."""

    value: float


def first_best(values: Float[Tensor, "*shape"]) -> Choice | None:
    """Returns the first of the values that are largest when rounded; None if none is above 0."""
    rounded = values.double().nan_to_num(nan=-1.0).round(decimals=DIGITS)
    if not rounded.numel() or not float(rounded.max()) > 0:
        return None
    first = (rounded == rounded.max()).flatten().to(torch.uint8).argmax()
    place = tuple(int(axis) for axis in torch.unravel_index(first, rounded.shape))
    return Choice(place, float(values[place]))


def fit(output: Float[Tensor, "image dim"], text: Float[Tensor, "text dim"]) -> Float[Tensor, "image text"]:
    """Returns the fit of the texts of a label to images; `output` is centered on the image set."""
    score = output @ text.T
    return score - score.mean(dim=1, keepdim=True)


def readings(fits: Float[Tensor, "image text"]) -> Int[Tensor, " image"]:
    """Returns the text with the largest fit to each image, the first of equal ones."""
    top = fits.amax(dim=1, keepdim=True)
    return (fits >= top).to(torch.uint8).argmax(dim=1)


def separation(output: Float[Tensor, "image dim"], reading: Int[Tensor, " image"]) -> float:
    """Returns the share of the output's variance that the read text explains; 0 if only one is read."""
    share = float(selectivity.epsilon_squared(output[:, None], reading)[0])
    return max(share, 0.0) if share == share else 0.0


def best_neighborhood(
    output: Float[Tensor, "image dim"],
    embedding: Float[Tensor, "image d_out"],
    reading: Int[Tensor, " image"],
    k: int,
) -> Choice | None:
    """Returns the image whose `k` nearest images by cosine show best what the heads read.

    `output` and `embedding` are centered. The value is the share of the neighbors read like the image, times
    the mean difference of their cosines in the output and in the whole embedding.
    """
    unit, whole = (torch.nn.functional.normalize(part, dim=1) for part in (output, embedding))
    values = []
    for start in range(0, len(unit), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosine = unit[rows] @ unit.T
        cosine[torch.arange(len(cosine)), torch.arange(len(cosine)) + start] = -torch.inf
        near = cosine.topk(k, dim=1)
        alike = (reading[near.indices] == reading[rows, None]).double().mean(dim=1)
        apart = near.values - torch.einsum("nd,nkd->nk", whole[rows], whole[near.indices])
        values.append(alike * apart.mean(dim=1))
    return first_best(torch.cat(values))


def best_text(
    output: Float[Tensor, "image dim"],
    text: Float[Tensor, "text dim"],
    reading: Int[Tensor, " image"],
    k: int,
) -> Choice | None:
    """Returns the text whose `k` nearest images by cosine are near it and read alike; all are centered."""
    unit, texts = (torch.nn.functional.normalize(part, dim=1) for part in (output, text))
    near = (texts @ unit.T).topk(k, dim=1)
    alike = (reading[near.indices] == reading[near.indices[:, :1]]).double().mean(dim=1)
    return first_best(alike * near.values.mean(dim=1))


def fits_well(
    fits: Float[Tensor, "gallery text"], of_images: Float[Tensor, "image text"]
) -> Bool[Tensor, "gallery text"]:
    """Returns where a text fits an image better than it fits nearly all images (`FITTING`)."""
    ranked = of_images.T.contiguous().sort(dim=1).values  # [text, image]
    below = torch.searchsorted(ranked, fits.T.contiguous(), right=True).T  # of so many images
    return (fits > 0) & (len(of_images) - below < FITTING * len(of_images))


def limited(maps: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map row column"]:
    """Returns maps with the largest absolute values cut to the `SHOWN` quantile."""
    size = maps.abs().flatten(-2)
    rank = -(-int(100 * SHOWN) * (size.shape[-1] - 1) // 100) + 1
    limit = size.kthvalue(rank, dim=-1).values[..., None, None]
    return maps.clamp(-limit, limit)


def squares(maps: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map down right"]:
    """Returns the sums of all squares of patches whose side is a third of the shorter side."""
    side = max(2, round(min(maps.shape[-2:]) / 3))
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    sums = torch.nn.functional.avg_pool2d(flat, side, stride=1, divisor_override=1)
    return sums.reshape(*maps.shape[:-2], *sums.shape[-2:])


def hot_share(maps: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map"]:
    """Returns the share of each map, in absolute values, that is positive and in one square."""
    shown = limited(maps)
    return _share(squares(shown).amax(dim=(-1, -2)), shown.abs().sum(dim=(-1, -2)))


def locality(
    maps: Float[Tensor, "image row column"], reading: Int[Tensor, " image"], fitting: Bool[Tensor, " image"]
) -> float:
    """Returns how well the maps of a label point at things, from the map of each image's read text.

    It is the median hot share where that text fits, times the share of the variance of the hot square's place
    that the text does not explain: a text such as "at the top" is hot at one place in every picture.
    """
    if not fitting.any():
        return 0.0
    hot = squares(limited(maps)).flatten(1).argmax(dim=1)
    width = squares(maps).shape[-1]
    place = torch.stack([hot // width, hot % width], dim=1).double()
    explained = float(selectivity.epsilon_squared(place[:, None], reading)[0])
    fixed = min(max(explained, 0.0), 1.0) if explained == explained else 0.0
    return float(hot_share(maps)[fitting].median()) * (1 - fixed)


class Presence(NamedTuple):
    """Strength and place of the texts of one label in an image, what all of them share subtracted."""

    share: Float[Tensor, "gallery text"]
    """Sum of the strongest square, 1 at the image where it is largest."""

    square: Int[Tensor, "gallery text"]
    """Number of that square."""

    leads: Bool[Tensor, "gallery text"]
    """True if no other text is stronger in that square."""


def presence(maps: Float[Tensor, "gallery text row column"]) -> Presence:
    """Returns where the images show the texts of one label."""
    sums = squares(maps - maps.mean(dim=1, keepdim=True)).flatten(2)  # [gallery, text, square]
    strength, square = sums.max(dim=2)
    leading = sums.argmax(dim=1).gather(1, square)
    leads = leading == torch.arange(maps.shape[1])
    return Presence(_share(strength.clamp(min=0), strength.amax(dim=0).clamp(min=0)), square, leads)


def best_map(
    maps: Float[Tensor, "gallery text row column"],
    shown: Presence,
    reading: Int[Tensor, " gallery"],
    fitting: Bool[Tensor, "gallery text"],
) -> Choice | None:
    """Returns image and text of the map that is hot in one place, of the texts that images are read as."""
    own = torch.arange(len(maps)), reading
    best = first_best(hot_share(maps[own]) * shown.share[own] * fitting[own])
    return best and Choice((best.place[0], int(reading[best.place[0]])), best.value)


def best_contrast(
    maps: Float[Tensor, "gallery text row column"], shown: Presence, fitting: Bool[Tensor, "gallery text"]
) -> Choice | None:
    """Returns image and two texts whose maps are hot in different squares of it, the first text first.

    Each of the texts leads in its square.
    """
    width = squares(maps[:1, :1]).shape[-1]
    side = maps.shape[-1] - width + 1
    choices = []
    for image, (share, square, leads) in enumerate(zip(*shown, strict=True)):
        texts = (leads & fitting[image] & (share > 0)).nonzero()[:, 0]
        place = torch.stack([square[texts] // width, square[texts] % width], dim=1)
        apart = ((place[:, None] - place[None]).abs() >= side).any(dim=2)
        if choice := first_best(_balance(maps[image, texts], share[texts]) * apart):
            choices.append(Choice((image, *(int(texts[index]) for index in choice.place)), choice.value))
    best = first_best(torch.tensor([choice.value for choice in choices]))
    return choices[best.place[0]] if best else None


def accuracy_loss(
    score: Float[Tensor, "image value"], removed: Float[Tensor, "image value"], target: Int[Tensor, " image"]
) -> float:
    """Returns how much zero-shot accuracy falls if `removed` is subtracted from the scores of the classes."""
    before, after = (zero_shot.accuracy(zero_shot.margin(part, target)) for part in (score, score - removed))
    return float(before - after)


def _balance(
    maps: Float[Tensor, "text row column"], presence: Float[Tensor, " text"]
) -> Float[Tensor, "text text"]:
    """Returns the balance of all pairs of texts, times the smaller presence; 0 below the diagonal."""
    difference = squares(limited(maps[:, None] - maps[None]))
    hot, cold = difference.amax(dim=(-1, -2)), -difference.amin(dim=(-1, -2))
    size = maps.abs().sum(dim=(-1, -2))
    share = _share(2 * torch.minimum(hot, cold).clamp(min=0), size[:, None] + size[None])
    return (share * torch.minimum(presence[:, None], presence[None])).triu(diagonal=1)


def _share(part: Float[Tensor, "*shape"], whole: Float[Tensor, "*shape2"]) -> Float[Tensor, "*shape"]:
    """Returns part / whole; 0 where the whole is 0."""
    return torch.where(whole > 0, part / whole.where(whole > 0, 1), 0)


_BLOCK = 512
"""Images whose neighbors are found at once."""
