"""Classes of images by the names of their folders, and zero-shot classification."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.inputs.text_files import left_out, lines_of, read_text, shown
from precompute.runtime import progress
from precompute.runtime.config import ConfigError

NONE = -1
"""Class of an image whose folder is no class."""


class ClassSet(NamedTuple):
    """The classes of zero-shot classification."""

    class_index: dict[str, int]
    """Index of the class by normalized folder name; a class may have several names."""

    prompts: list[list[str]]
    """Prompts of each class."""


def load(path: Path | None) -> ClassSet:
    """Reads classes from lines of folder name, tab, prompt; None gives ImageNet's. Raises ConfigError."""
    return imagenet() if path is None else _read(path)


def imagenet() -> ClassSet:
    """Returns ImageNet's 1,000 classes by WordNet id, and by name if the name is unique."""
    from timm.data import ImageNetInfo  # late, since the import takes a second

    ids = ImageNetInfo("imagenet-1k").label_names()
    names = [normalize(name) for name in clip.imagenet_names()]
    count = Counter(names)
    index = {name: number for number, name in enumerate(names) if count[name] == 1}
    return ClassSet(index | {wordnet_id: i for i, wordnet_id in enumerate(ids)}, clip.imagenet_prompts())


def normalize(name: str) -> str:
    """Returns a folder or class name in lower case, with spaces for underscores."""
    return name.replace("_", " ").strip().casefold()


def of_images(
    distinct: Mapping[str, images.ImageFile], image_id: list[str], classes: ClassSet
) -> Int[Tensor, " image"]:
    """Returns the class of every image; NONE if its folder is no class."""
    folders = (PurePosixPath(distinct[image].relative).parent.name for image in image_id)
    return torch.tensor([classes.class_index.get(normalize(folder), NONE) for folder in folders])


def answers(
    embedding: Float[Tensor, "image d_out"], text: Float[Tensor, "class d_out"]
) -> Int[Tensor, " image"]:
    """Returns the class with the highest score; embeddings may have any length."""
    return torch.cat([(part @ text.T).argmax(dim=-1) for part in embedding.split(4096)])


def _read(path: Path) -> ClassSet:
    entries, comments = lines_of(read_text(path, "the classes in", ConfigError))
    if comments:
        progress.say(f"{path}: {left_out(comments)}.")
    index: dict[str, int] = {}
    prompts: list[list[str]] = []
    for number, line in entries:
        folder, tab, prompt = line.partition("\t")
        if not (tab and folder.strip() and prompt.strip()):
            raise ConfigError(
                f"{path}, line {number}: write a folder name, a tab and a prompt, not {shown(line)}."
            )
        if normalize(folder) not in index:
            index[normalize(folder)] = len(prompts)
            prompts.append([])
        prompts[index[normalize(folder)]].append(prompt.strip())
    if len(prompts) < 2:
        raise ConfigError(f"{path} has {len(prompts)} classes. Give at least two.")
    return ClassSet(index, prompts)
