"""Scores maps of any model against known masks: `python -m precompute score-maps`. Writes no bundle."""

import pandas as pd

from db.text_table import text_table
from precompute import clip
from precompute.inputs import images
from precompute.runtime import devices
from precompute.tools.score_maps.options import MapTask
from precompute.tools.verify_paper import published_figures
from precompute.validation import map_scores, segmentation, segmentation_scores
from precompute.validation.subjects import Subject

OF_LAION = "ViT-B-16/laion2b_s34b_b88k"
"""The published figures are of a model trained on LAION; its architecture is not stated."""


def run(task: MapTask) -> None:
    """Scores every model and prints the tables. Raises ModelError, TextError, ImagesError."""
    device = devices.resolve_device(task.device)
    specs = [clip.resolve(choice) for choice in task.models]
    masked = images.read_masks(task.masks) if task.masks else []
    if masked:
        images.check_masks(masked)
    for spec in specs:
        model = clip.load(spec, device=device)
        if masked:
            print(f"{spec.name}, maps on {task.masks}\n{_text(_masked(model, masked, task))}\n", flush=True)
        if task.segmentation:
            print(f"{spec.name}, {task.segmentation}\n{_text(_segmented(model, task))}\n", flush=True)


def _masked(model: clip.Clip, pictures: list[images.MaskedPicture], task: MapTask) -> pd.DataFrame:
    map_scores.check_captions(model, pictures)
    subjects = map_scores.subjects(model, clip.last_layers(model, task.layers), {})
    table = map_scores.table(model, list(subjects), map_scores.score(model, pictures, subjects))
    fields = table[list(Subject._fields)].astype(object).where(table[list(Subject._fields)].notna(), None)
    table = table.assign(subject=[str(Subject(*row)) for row in fields.itertuples(index=False)])
    columns = ["measure", "subject", "value", "low", "high", "chance", "count"]
    return table.sort_values("measure", kind="stable")[columns]


def _segmented(model: clip.Clip, task: MapTask) -> pd.DataFrame:
    assert task.segmentation is not None
    text = segmentation_scores.class_texts(model, task.classes)
    answers = segmentation_scores.answers(
        model, task.segmentation, text, limit=task.limit, as_released=task.as_released
    )
    figures = segmentation.figures(answers)
    resizing = "pictures cropped, masks squashed" if task.as_released else "pictures and masks squashed"
    published = published_figures.load(OF_LAION)
    quoted = [published[measure].low for measure in published_figures.SEGMENTATION]
    rows = [
        (f"this model, {resizing}", *(100 * value for value in figures[:3]), figures.pictures),
        ("published, on gtsegs_ijcv: a CLIP of LAION", *quoted, segmentation.PICTURES),
    ]
    return pd.DataFrame(rows, columns=["per cent", *published_figures.SEGMENTATION, "pictures"])


def _text(table: pd.DataFrame) -> str:
    rows = table.itertuples(index=False)
    return text_table(list(table), rows, aligned=True, digits=2 if "per cent" in table else 3)
