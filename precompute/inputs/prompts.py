"""Prompts: the texts for the values of known attributes, with which a model is scored zero-shot.

    # a comment
    color<tab>*<tab>a photo of something {}.
    count<tab>2<tab>a photo of two things.

A line is an attribute, one of its values, and the text of that value. The value `*` marks a template for all
values without a line of their own; its text has {} in place of the value. Only values that occur in the
images are used. Lines that begin with `#` are comments, and counted. Every occurring value of an attribute
needs a prompt: without one, its images would be scored as if they had another value.

Knows nothing of models. Reads one file; everything else is pure.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from db.errors import UserError
from db.layout import normalize_text
from precompute.inputs.images.class_folders import is_id
from precompute.inputs.text_files import lines_of, read_text, shown
from precompute.method.types import Classes

ANY = "*"
"""Value of a template: all values without a line of their own."""

SLOT = "{}"
"""Placeholder of the value in the text of a template."""


class PromptError(UserError):
    """A file of prompts cannot be used; the message says what to change."""


class Prompt(NamedTuple):
    """One line of a prompt file."""

    attribute: str
    value: str
    text: str
    line: int


class ClassPrompt(NamedTuple):
    """The text that stands for one value of an attribute."""

    attribute: str
    value: str
    text: str


class Prompts(NamedTuple):
    """The prompts of a file, in its order."""

    name: str
    """Name of the file, for messages."""

    rows: tuple[Prompt, ...]

    comments: tuple[str, ...] = ()
    """Lines left out because they begin with `#`."""


DEFAULT = Prompts("the prompts used without --prompts", (Prompt("class", ANY, "a photo of a {}.", 1),))
"""Prompts without a file: a template for the attribute `class`; other attributes have no obvious wording."""


def load(path: Path) -> Prompts:
    """Returns the prompts of a file. Raises PromptError."""
    content = read_text(path, "the prompts", PromptError)
    return parse(content, name=path.name)


def parse(content: str, *, name: str) -> Prompts:
    """Returns the prompts of a file's content. Raises PromptError naming the line."""
    entries, comments = lines_of(content)
    rows: dict[tuple[str, str], Prompt] = {}
    for number, line in entries:
        row = _row(line, number, name)
        first = rows.setdefault((row.attribute, row.value), row)
        if first is not row:
            raise PromptError(
                f"line {number} of {name}: {row.attribute} {row.value!r} stands in line {first.line} "
                "already. Keep one text a value."
            )
    if not rows:
        raise PromptError(f"{name} holds no prompt. Write one a line: attribute, tab, value, tab, text.")
    return Prompts(name, tuple(rows.values()), comments)


def expand(prompts: Prompts, attributes: pd.DataFrame) -> list[ClassPrompt]:
    """Returns a prompt for every value in `attributes` (image_id, attribute, value).

    Attributes and values keep the order of the file; values of a template follow, sorted.

    Raises:
        PromptError: a value has no prompt, or shares its text with another of its attribute.
    """
    class_prompts: list[ClassPrompt] = []
    for attribute in dict.fromkeys(row.attribute for row in prompts.rows):
        occurring = set(attributes.loc[attributes["attribute"] == attribute, "value"])
        texts = _texts(prompts, attribute, occurring)
        _check_distinct(prompts, attribute, texts)
        class_prompts += [ClassPrompt(attribute, value, text) for value, text in texts.items()]
    return class_prompts


def unused(prompts: Prompts, attributes: pd.DataFrame) -> list[str]:
    """Returns attributes with prompts that no image has, in the order of the file."""
    occurring = set(attributes["attribute"])
    return [name for name in dict.fromkeys(row.attribute for row in prompts.rows) if name not in occurring]


def ids(prompts: Prompts, attributes: pd.DataFrame) -> list[str]:
    """Returns the values of templates that are numbers or ids: a text with them would ask for nothing."""
    templates = {row.attribute for row in prompts.rows if row.value == ANY}
    return sorted(filter(is_id, set(attributes.loc[attributes["attribute"].isin(templates), "value"])))


def where(prompts: Prompts, attribute: str, value: str) -> str:
    """Returns the line of a value's prompt, for messages."""
    by_value = {row.value: row.line for row in prompts.rows if row.attribute == attribute}
    return f"line {by_value.get(value, by_value.get(ANY))} of {prompts.name}"


def classes(
    class_prompts: Sequence[ClassPrompt],
    text: Float[Tensor, "value d_out"],
    attributes: pd.DataFrame,
    image_ids: Sequence[str],
) -> list[Classes]:
    """Returns for each attribute the text embeddings of its values and a mask of the images with each value.

    `text` has one row for each class prompt; the axis `image` of the mask is that of `image_ids`.
    """
    result = []
    for attribute in dict.fromkeys(name for name, _, _ in class_prompts):
        rows = [row for row, (name, _, _) in enumerate(class_prompts) if name == attribute]
        values = tuple(class_prompts[row].value for row in rows)
        labels = attributes[attributes["attribute"] == attribute]
        mask = _value_mask(zip(labels["image_id"], labels["value"], strict=True), image_ids, values)
        result.append(Classes(attribute, values, text[rows], mask))
    return result


def _row(line: str, number: int, name: str) -> Prompt:
    cells = [normalize_text(cell) for cell in line.split("\t")]
    if len(cells) != 3 or not all(cells):
        raise PromptError(
            f"line {number} of {name} is not an attribute, a tab, a value, a tab and a text: {shown(line)}."
        )
    attribute, value, text = cells
    if value == ANY and text.count(SLOT) != 1:
        raise PromptError(
            f"line {number} of {name}: the text {shown(text)} is for every value of {attribute}; put {SLOT} "
            "where the value goes, once."
        )
    if value != ANY and SLOT in text:
        raise PromptError(
            f"line {number} of {name}: {SLOT} is filled in only where the value is {ANY}. Write the value "
            f"{value!r} out."
        )
    return Prompt(attribute, value, text, number)


def _texts(prompts: Prompts, attribute: str, occurring: set[str]) -> dict[str, str]:
    """Returns the text of every occurring value, in order."""
    listed = {row.value: row.text for row in prompts.rows if row.attribute == attribute}
    template = listed.pop(ANY, None)
    rest = sorted(occurring - set(listed))
    if rest and template is None:
        raise PromptError(
            f"{prompts.name} has no text for {attribute} {rest[0]!r}, which images have. Add a line for it, "
            f"or one for every other value: {attribute}, tab, {ANY}, tab, a text with {SLOT}."
        )
    texts = {value: text for value, text in listed.items() if value in occurring}
    readable = {value: value.replace("_", " ") if prompts is DEFAULT else value for value in rest}
    return texts | {value: (template or "").replace(SLOT, readable[value]) for value in rest}


def _check_distinct(prompts: Prompts, attribute: str, texts: dict[str, str]) -> None:
    """Raises PromptError if two values have the same text, or texts that tokenizers read alike."""
    by_text: dict[str, str] = {}
    for value, text in texts.items():
        other = by_text.setdefault(" ".join(text.split()).lower(), value)
        if other != value:
            raise PromptError(
                f"{where(prompts, attribute, value)}: {attribute} {value!r} is asked with the text of "
                f"{other!r}, {texts[other]!r}. Give each value a text of its own in --prompts, or the images "
                "one value; models read upper and lower case alike."
            )


def _value_mask(
    labels: Iterable[tuple[str, str]], image_ids: Sequence[str], values: Sequence[str]
) -> Bool[Tensor, "image value"]:
    row = {image_id: index for index, image_id in enumerate(image_ids)}
    column = {value: index for index, value in enumerate(values)}
    mask = torch.zeros(len(row), len(column), dtype=torch.bool)
    for image_id, value in labels:
        if image_id in row:
            mask[row[image_id], column[value]] = True
    return mask
