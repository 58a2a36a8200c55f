"""Maps of one model scored against masked pictures: its heads, its properties, and three rivals."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition
from precompute.runtime import progress, work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.validation import map_metrics
from precompute.validation.subjects import Subject, score_frame

Heads = Sequence[tuple[int, int]]
"""Pairs of layer and head."""

RIVALS = tuple(Subject("rival", method=name) for name in ("raw_attention", "rollout", "uniform"))
"""Maps that ignore the text."""

# Attention of every layer and all tokens through every head: 0.2 GB a picture for ViT-L-14.
_BATCH = 4

PIECE = 2 * _BATCH
"""Pictures of one work file: what is lost, at most, by an interruption. Some seconds each with ViT-L-14."""


class MapScores(NamedTuple):
    """Every map of every picture, scored; measures in the order of `maps.MEASURES`.

    Not a number: a picture without that score, because a mask was cropped away or no other caption is there.
    """

    by_set: Float[Tensor, "picture subject measure"]
    """Sets of heads, then the rivals."""

    by_head: Float[Tensor, "picture head measure"]
    """Every single head, layer by layer."""

    share: Float[Tensor, " picture"]
    """Mean share of the picture that one of its masks covers."""


class _Texts(NamedTuple):
    """Embeddings of the four captions that a picture is asked with, or of its own two."""

    embedding: Float[Tensor, "4 d_out"]
    has_others: bool


def subjects(
    model: clip.Clip, stored: Sequence[int], properties: Mapping[str, Heads]
) -> dict[Subject, Bool[Tensor, "layer head"]]:
    """Sets of heads by subject: all of the model, those of the stored layers, those of each property."""
    none = torch.zeros(model.layers, model.heads, dtype=torch.bool)
    stored_layers = none.clone()
    stored_layers[list(stored)] = True
    masks = {Subject("all_heads"): ~none, Subject("stored_layers"): stored_layers}
    for name, heads in sorted(properties.items()):
        layer, head = zip(*heads, strict=True)
        masks[Subject("property", name)] = none.clone()
        masks[Subject("property", name)][layer, head] = True
    return masks


def check_captions(model: clip.Clip, pictures: Sequence[images.MaskedPicture]) -> None:
    """Raise TextError, before anything is computed, if the model cannot read a caption."""
    for picture in pictures:
        for caption in picture.captions:
            clip.check_text(model, caption)


def rows(
    model: clip.Clip,
    pictures: Sequence[images.MaskedPicture],
    stored: Sequence[int],
    properties: Mapping[str, Heads],
    directory: Path,
) -> pd.DataFrame:
    """The table of one model; what is computed is kept in work files below `directory`."""
    chosen = subjects(model, stored, properties)
    heads = [(name, mask.nonzero().tolist()) for name, mask in chosen.items()]
    key = work_files.key_of(METHOD_VERSIONS["maps"], images.mask_identity(pictures), heads)
    mine = directory / f"maps-{key}"
    return table(model, list(chosen), score(model, pictures, chosen, mine))


def score(
    model: clip.Clip,
    pictures: Sequence[images.MaskedPicture],
    chosen: Mapping[Subject, Bool[Tensor, "layer head"]],
    directory: Path | None = None,
) -> MapScores:
    """Run the model over the pictures and score its maps: of the chosen sets, the rivals and every head.

    Pieces that lie in `directory`, which is of these pictures and sets alone, are not scored again.
    """
    pieces = [range(len(pictures))[start:][:PIECE] for start in range(0, len(pictures), PIECE)]
    paths = [directory / f"{piece.start}.safetensors" if directory else None for piece in pieces]
    done = sum(len(piece) for piece, path in zip(pieces, paths, strict=True) if path and path.exists())
    if done < len(pictures):
        weights = clip.vision_weights(model)
        every = decomposition.head_spaces(weights, clip.last_layers(model, None))
        plan, texts = decomposition.plan(weights, every), list(_texts(model, pictures))
    found: list[MapScores] = []
    with progress.bar("maps against masks", total=len(pictures), done=done) as bar:
        for piece, path in zip(pieces, paths, strict=True):
            if path and path.exists():
                found.append(MapScores(**work_files.load_tensors(path)))
                continue
            mine = slice(piece.start, piece.stop)
            found.append(_score_piece(model, plan, pictures[mine], chosen, texts[mine], bar))
            if path:
                work_files.save_tensors(path, found[-1]._asdict())
    return MapScores(*map(torch.cat, zip(*found, strict=True)))


def _score_piece(
    model: clip.Clip,
    plan: decomposition.Plan,
    pictures: Sequence[images.MaskedPicture],
    chosen: Mapping[Subject, Bool[Tensor, "layer head"]],
    texts: Sequence[_Texts],
    bar: progress.tqdm,
) -> MapScores:
    seen = images.masked_pixels(pictures, model.preprocess, mean=model.spec.mean, std=model.spec.std)
    waiting = iter(texts)
    sets, heads, shares = [], [], []
    while batch := list(islice(seen, _BATCH)):
        maps_of_each = _batch_maps(model, plan, chosen, batch, islice(waiting, len(batch)))
        for (each, has_others), picture in zip(maps_of_each, batch, strict=True):
            mask = map_metrics.mask_pixels(picture.masks)
            scored = _score(each, mask, has_others)
            count = len(chosen) + len(RIVALS)
            sets.append(scored[:count])
            heads.append(scored[count:])
            shares.append(mask.double().mean())
            bar.update()
    return MapScores(torch.stack(sets), torch.stack(heads), torch.stack(shares))


def table(model: clip.Clip, chosen: Sequence[Subject], scores: MapScores) -> pd.DataFrame:
    """Rows of the table `validation_score`, study maps; `chosen` are the sets of heads, in order.

    The best head is chosen on every second picture, by contrast, and scored on the others only.
    """
    usable = scores.by_set[:, 0, 0].isnan().logical_not().nonzero()[:, 0]
    kept = MapScores(*(values[usable] for values in scores))
    rows: list[dict[str, object]] = []
    for place, subject in enumerate([*chosen, *RIVALS]):
        rows += _rows(subject, kept.by_set[:, place], kept.share)
    first, second = usable[::2], usable[1::2]
    if len(second):
        best = map_metrics.best_head(scores.by_head[first][..., map_metrics.MEASURES.index("contrast")])
        subject = Subject("best_head", layer=best // model.heads, head=best % model.heads)
        rows += _rows(subject, scores.by_head[second, best], scores.share[second])
    frame = score_frame("maps", rows)
    frame.insert(0, "model_key", model.model_key)
    return frame


def _texts(model: clip.Clip, pictures: Sequence[images.MaskedPicture]) -> Iterator[_Texts]:
    captions = [picture.captions for picture in pictures]
    distinct = sorted({caption for both in captions for caption in both})
    place = {caption: row for row, caption in enumerate(distinct)}
    embedding = clip.encode_text(model, distinct)
    for own, other in zip(captions, map_metrics.other_captions(captions), strict=True):
        asked = [*own, *(other or own)]
        yield _Texts(embedding[[place[caption] for caption in asked]], other is not None)


def _batch_maps(
    model: clip.Clip,
    plan: decomposition.Plan,
    chosen: Mapping[Subject, Bool[Tensor, "layer head"]],
    batch: list[images.MaskedPixels],
    texts: Iterator[_Texts],
) -> Iterator[tuple[Float[Tensor, "subject 4 pixel"], bool]]:
    """All maps of each picture, on the processor, and whether another picture's captions were asked."""
    pixels = torch.stack([picture.pixels for picture in batch])
    captured = clip.capture_tokens(model, pixels, plan.layers)
    _, token = decomposition.decompose_tokens(plan, captured)
    attention = clip.capture_attention(model, pixels)
    rivals = torch.stack([map_metrics.raw_attention(attention), map_metrics.rollout(attention)], dim=1).cpu()
    for mine, plain, text in zip(token, rivals, texts, strict=True):
        by_head = map_metrics.head_maps(mine, plan.spaces.basis, text.embedding.to(mine)).cpu()
        sums = torch.stack([by_head[heads].sum(dim=0) for heads in chosen.values()])
        grids = torch.cat([sums, plain[:, None].expand(-1, 4, -1), by_head.flatten(0, 1)])
        large = map_metrics.enlarged(grids.unflatten(-1, model.grid))
        # A constant map is made at full size: enlarged, it would differ by rounding and be ranked by that.
        uniform = torch.ones_like(large[:1])
        split = len(chosen) + len(plain)
        yield torch.cat([large[:split], uniform, large[split:]]), text.has_others


def _score(
    each: Float[Tensor, "subject 4 pixel"], mask: Bool[Tensor, "2 pixel"], has_others: bool
) -> Float[Tensor, "subject measure"]:
    if not mask.any(dim=-1).all():
        return torch.full((len(each), len(map_metrics.MEASURES)), torch.nan, dtype=torch.float64)
    # Some maps at a time: with all heads of a large model at once, ranks alone would take gigabytes.
    precision = torch.cat([map_metrics.average_precision(some, mask) for some in each.split(16)])
    scored = map_metrics.measures(precision)
    if not has_others:
        scored[:, map_metrics.MEASURES.index("caption")] = torch.nan
    return scored


def _rows(
    subject: Subject, score: Float[Tensor, "picture measure"], share: Float[Tensor, " picture"]
) -> Iterator[dict[str, object]]:
    for place, measure in enumerate(map_metrics.MEASURES):
        summary = map_metrics.summary(score[:, place])
        if summary is not None:
            chance = float(share.mean()) if measure == "average_precision" else 0.0
            yield {"measure": measure, "subject": subject, "chance": chance, **summary._asdict()}
