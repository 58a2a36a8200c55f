"""Inputs that a run reads before it loads a model: image set, text pool, prompts, masks."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from precompute.inputs import images, prompts, text_pool
from precompute.inputs.prompts import ClassPrompt, PromptError, Prompts
from precompute.inputs.text_files import left_out
from precompute.method.intervals import MIN_IMAGES
from precompute.method.types import Pool
from precompute.runtime import progress
from precompute.runtime.config import Config
from precompute.stages.scan_images import ImageSet


class RunInputs(NamedTuple):
    """Inputs of every model of a run."""

    image_set: ImageSet
    pool: Pool
    prompts: Prompts
    class_prompts: list[ClassPrompt]
    """One for each attribute value to classify zero-shot."""

    masks: list[images.MaskedPicture]

    @property
    def image_files(self) -> dict[str, images.ImageFile]:
        """One file per image, by image_id."""
        return self.image_set.image_files

    @property
    def attributes(self) -> pd.DataFrame:
        """One row per image_id, attribute, value."""
        return self.image_set.attributes


def read_files(config: Config) -> tuple[Pool, Prompts, list[images.MaskedPicture]]:
    """Reads text pool, prompts and masks. Raises PoolError, PromptError, ImagesError."""
    templates = prompts.load(config.prompts) if config.prompts else prompts.DEFAULT
    pictures = images.read_masks(config.masks) if config.masks else []
    pictures = images.evenly(pictures, config.masked_images or len(pictures))
    return text_pool.load(config.texts), templates, pictures


def read_inputs(config: Config, image_set: ImageSet) -> RunInputs:
    """Reads all inputs and prints a summary of them.

    Raises:
        PoolError, PromptError, ImagesError: an input file cannot be used, or its prompts fit no image.
    """
    pool, templates, pictures = read_files(config)
    progress.say(_summary(image_set, pool))
    class_prompts = _class_prompts(templates, config.prompts, image_set)
    return RunInputs(image_set, pool, templates, class_prompts, pictures)


def _class_prompts(templates: Prompts, path: Path | None, image_set: ImageSet) -> list[ClassPrompt]:
    """Returns prompts of the values that images have; prints an example, and what of the file is not used."""
    if templates.comments:
        progress.say(f"{path}: {left_out(templates.comments)}.")
    if path is None and (ids := prompts.ids(templates, image_set.attributes)):
        progress.say(
            f"not asked: class. {len(ids):,} values are ids such as {images.first_three(ids)}. Name them in "
            "classes.txt beside the images, or give --prompts."
        )
        return []
    class_prompts = prompts.expand(templates, image_set.attributes)
    unused = prompts.unused(templates, image_set.attributes)
    if path and not class_prompts:
        raise PromptError(
            f"{path} asks for {', '.join(unused)}, but no image has any of these. "
            "Give the attributes with --metadata CSV, a column for each attribute."
        )
    if path and unused:
        progress.say(f"not asked, for no image has it: {', '.join(unused)}.")
    for attribute in dict.fromkeys(prompt.attribute for prompt in class_prompts):
        first, *others = (prompt.text for prompt in class_prompts if prompt.attribute == attribute)
        progress.say(f"asked zero-shot: {attribute}, as {first!r} and {len(others):,} more.")
    return class_prompts


def _summary(image_set: ImageSet, pool: Pool) -> str:
    failed_count, count = len(image_set.failed), len(image_set.image_files)
    failed = f", {failed_count} could not be read (listed in failed_image)" if failed_count else ""
    copy_count = len(image_set.files) - count
    copies = f", {copy_count} of them copies of others" if copy_count else ""
    dropped = pool.dropped_duplicates + pool.dropped_empty
    dropped_lines = ", read as CSV" if pool.is_csv else ""
    dropped_lines += f", {dropped} repeated or empty lines left out" if dropped else ""
    dropped_lines += f", {left_out(pool.comments)}" if pool.comments else ""
    few = f"fewer than {MIN_IMAGES}: no intervals and ranks of models"
    flat = f"{image_set.flat:,} use less than a tenth of their range: empty, or 12 bits stored in 16?"
    return "; ".join(
        [
            f"{len(image_set.files)} images{copies}{failed}",
            *([few] if count < MIN_IMAGES else []),
            *([flat] if image_set.flat else []),
            *image_set.notes,
            f"{len(pool.texts)} texts of {len(pool.properties)} properties{dropped_lines}",
        ]
    )
