"""Scores of the maps of one model on masked pictures: its heads, its properties, and three rival maps."""

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
"""Number of pictures of one work file, the most an interruption loses; seconds a picture with ViT-L-14."""


class MapScores(NamedTuple):
    """Scores of every map of every picture; measures in the order of `map_metrics.MEASURES`.

    NaN for a picture without the score: a mask was cropped away, or there is no other caption.
    """

    by_set: Float[Tensor, "picture subject measure"]
    """Sets of heads, then the rivals."""

    by_head: Float[Tensor, "picture head measure"]
    """Every single head, layer by layer."""

    share: Float[Tensor, " picture"]
    """Mean share of the picture that one of its masks covers."""


_OF_OBJECT = ([0, 1, 2], [1, 0, 3])
"""Places in `_Texts` for each object: its caption, that of the other object, that of another picture."""

_Texts = tuple[Float[Tensor, "4 d_out"], bool]
"""Embeddings of a picture's captions and of two others; False if its own stand in for missing others."""


def subjects(
    model: clip.Clip, stored: Sequence[int], properties: Mapping[str, Heads]
) -> dict[Subject, Bool[Tensor, "layer head"]]:
    """Returns masks of heads by subject: all heads, those of the stored layers, those of each property."""
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
    """Raises TextError, before anything is computed, if the model cannot read a caption."""
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
    """Returns the table of one model; scores are cached in work files under `directory`."""
    head_masks = subjects(model, stored, properties)
    heads = [(name, mask.nonzero().tolist()) for name, mask in head_masks.items()]
    key = work_files.key_of(METHOD_VERSIONS["maps"], images.mask_identity(pictures), heads)
    return table(model, list(head_masks), score(model, pictures, head_masks, directory / f"maps-{key}"))


def score(
    model: clip.Clip,
    pictures: Sequence[images.MaskedPicture],
    head_masks: Mapping[Subject, Bool[Tensor, "layer head"]],
    directory: Path | None = None,
) -> MapScores:
    """Runs the model on the pictures and scores its maps: of the sets of heads, the rivals and every head.

    Pieces in `directory`, which must belong to these pictures and sets, are not scored again.
    """
    pieces = [range(len(pictures))[start:][:PIECE] for start in range(0, len(pictures), PIECE)]
    paths = [directory / f"{piece.start}.safetensors" if directory else None for piece in pieces]
    done = sum(len(piece) for piece, path in zip(pieces, paths, strict=True) if path and path.exists())
    if done < len(pictures):
        weights = clip.vision_weights(model)
        spaces = decomposition.head_spaces(weights, clip.last_layers(model, None))
        plan, texts = decomposition.plan(weights, spaces), list(_texts(model, pictures))
    scores: list[MapScores] = []
    with progress.bar("maps against masks", total=len(pictures), done=done) as bar:
        for piece, path in zip(pieces, paths, strict=True):
            if path and path.exists():
                scores.append(MapScores(**work_files.load_tensors(path)))
                continue
            rows = slice(piece.start, piece.stop)
            scores.append(_score_piece(model, plan, pictures[rows], head_masks, texts[rows], bar))
            if path:
                work_files.save_tensors(path, scores[-1]._asdict())
    return MapScores(*map(torch.cat, zip(*scores, strict=True)))


def _score_piece(
    model: clip.Clip,
    plan: decomposition.Plan,
    pictures: Sequence[images.MaskedPicture],
    head_masks: Mapping[Subject, Bool[Tensor, "layer head"]],
    texts: Sequence[_Texts],
    bar: progress.tqdm,
) -> MapScores:
    pixels = images.masked_pixels(pictures, model.preprocess, mean=model.spec.mean, std=model.spec.std)
    remaining_texts, count = iter(texts), len(head_masks) + len(RIVALS)
    scores: list[MapScores] = []
    while batch := list(islice(pixels, _BATCH)):
        batch_maps = _batch_maps(model, plan, head_masks, batch, islice(remaining_texts, len(batch)))
        for (maps, has_others), picture in zip(batch_maps, batch, strict=True):
            mask = map_metrics.mask_pixels(picture.masks)
            by_map = _score(maps, mask, has_others)
            scores.append(MapScores(by_map[:count], by_map[count:], mask.double().mean()))
            bar.update()
    return MapScores(*map(torch.stack, zip(*scores, strict=True)))


def table(model: clip.Clip, sets: Sequence[Subject], scores: MapScores) -> pd.DataFrame:
    """Returns the rows of the table `validation_score` of the study maps; `sets` are sets of heads, in order.

    The best head is chosen by contrast on every second picture, and scored on the others only.
    """
    usable = scores.by_set[:, 0, 0].isnan().logical_not().nonzero()[:, 0]
    if left_out := len(scores.by_set) - len(usable):
        progress.say(
            f"maps: {left_out} of {len(scores.by_set)} pictures not scored, the crop removes a mask."
        )
    rows: list[dict[str, object]] = []
    for column, subject in enumerate([*sets, *RIVALS]):
        rows += _rows(subject, scores.by_set[usable, column], scores.share[usable])
    first, second = usable[::2], usable[1::2]
    if len(second):
        best = map_metrics.best_head(scores.by_head[first][..., map_metrics.MEASURES.index("contrast")])
        subject = Subject("best_head", layer=best // model.heads, head=best % model.heads)
        rows += _rows(subject, scores.by_head[second, best], scores.share[second])
    frame = score_frame("maps", rows)
    frame.insert(0, "model_key", model.model_key)
    return frame


def contrast_by_property(table: pd.DataFrame) -> dict[str, float]:
    """Returns how well the maps of each property find what the text names: 0 if that may be chance."""
    rows = table[(table["subject_kind"] == "property") & (table["measure"] == "contrast")]
    surely = rows["value"].where(rows["low"] > 0, 0.0)
    return dict(zip(rows["property"], surely, strict=True))


def _texts(model: clip.Clip, pictures: Sequence[images.MaskedPicture]) -> Iterator[_Texts]:
    captions = [picture.captions for picture in pictures]
    distinct = sorted({caption for both in captions for caption in both})
    place = {caption: row for row, caption in enumerate(distinct)}
    embedding = clip.encode_text(model, distinct)
    for pair, other in zip(captions, map_metrics.other_captions(captions), strict=True):
        yield embedding[[place[caption] for caption in (*pair, *(other or pair))]], other is not None


def _batch_maps(
    model: clip.Clip,
    plan: decomposition.Plan,
    head_masks: Mapping[Subject, Bool[Tensor, "layer head"]],
    batch: list[images.MaskedPixels],
    texts: Iterator[_Texts],
) -> Iterator[tuple[Float[Tensor, "subject 4 pixel"], bool]]:
    """Yields all maps of each picture, on the CPU, and True if captions of another picture are among them."""
    pixels = torch.stack([picture.pixels for picture in batch])
    captured = clip.capture_tokens(model, pixels, plan.layers)
    _, token = decomposition.decompose_tokens(plan, captured)
    attention = clip.capture_attention(model, pixels)
    rivals = torch.stack([map_metrics.raw_attention(attention), map_metrics.rollout(attention)], dim=1).cpu()
    for tokens, plain, (text, has_others) in zip(token, rivals, texts, strict=True):
        by_head = map_metrics.head_maps(tokens, plan.spaces.basis, text.to(tokens)).cpu()
        sums = torch.stack([by_head[heads].sum(dim=0) for heads in head_masks.values()])
        grids = torch.cat([sums, plain[:, None].expand(-1, 4, -1), by_head.flatten(0, 1)])
        large = map_metrics.enlarged(grids.unflatten(-1, model.grid))
        # At full size: an enlarged constant map would have rounding errors, and these would rank its pixels.
        uniform = torch.ones_like(large[:1])
        split = len(head_masks) + len(plain)
        yield torch.cat([large[:split], uniform, large[split:]]), has_others


def _score(
    maps: Float[Tensor, "subject 4 pixel"], mask: Bool[Tensor, "2 pixel"], has_others: bool
) -> Float[Tensor, "subject measure"]:
    if not mask.any(dim=-1).all():
        return torch.full((len(maps), len(map_metrics.MEASURES)), torch.nan, dtype=torch.float64)
    own = [
        map_metrics.average_precision(maps[:, texts], mask)
        for texts, mask in zip(_OF_OBJECT, mask.split(1), strict=True)
    ]
    scores = map_metrics.measures(torch.stack(own, dim=1)[..., 0])
    if not has_others:
        scores[:, map_metrics.MEASURES.index("caption")] = torch.nan
    return scores


def _rows(
    subject: Subject, score: Float[Tensor, "picture measure"], share: Float[Tensor, " picture"]
) -> Iterator[dict[str, object]]:
    for place, measure in enumerate(map_metrics.MEASURES):
        summary = map_metrics.summary(score[:, place])
        if summary is not None:
            chance = float(share.mean()) if measure == "average_precision" else 0.0
            yield {"measure": measure, "subject": subject, "chance": chance, **summary._asdict()}
