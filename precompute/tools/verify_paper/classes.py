"""Which class each image is of, by the folder it lies in, and how classes are asked zero-shot."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.runtime.config import ConfigError

NONE = -1
"""Class of an image whose folder is no class."""


class ClassSet(NamedTuple):
    """Classes to tell apart."""

    place: dict[str, int]
    """Folder name, folded, to the class; a class may have several."""

    prompts: list[list[str]]
    """Of each class."""


def load(path: Path | None) -> ClassSet:
    """Classes of a file (folder name, tab, prompt, a line), or ImageNet's. Raises ConfigError."""
    return imagenet() if path is None else _read(path)


def imagenet() -> ClassSet:
    """ImageNet's 1,000 classes: WordNet ids, or names that only one class has."""
    from timm.data import ImageNetInfo  # takes a second to import, and only knows the ids

    ids, names = ImageNetInfo("imagenet-1k").label_names(), [folded(name) for name in clip.imagenet_names()]
    count = Counter(names)
    place = {name: number for number, name in enumerate(names) if count[name] == 1}
    return ClassSet(place | {one: number for number, one in enumerate(ids)}, clip.imagenet_prompts())


def folded(name: str) -> str:
    """A folder name or class name without case, and with spaces for underscores."""
    return name.replace("_", " ").strip().casefold()


def of_images(
    distinct: Mapping[str, images.ImageFile], image_id: list[str], classes: ClassSet
) -> Int[Tensor, " image"]:
    """Class of every image; NONE where its folder is none."""
    folders = (PurePosixPath(distinct[one].relative).parent.name for one in image_id)
    return torch.tensor([classes.place.get(folded(folder), NONE) for folder in folders])


def answers(
    embedding: Float[Tensor, "image d_out"], text: Float[Tensor, "class d_out"]
) -> Int[Tensor, " image"]:
    """The class whose text scores best; a length that is not 1 does not change which."""
    return torch.cat([(part @ text.T).argmax(dim=-1) for part in embedding.split(4096)])


def _read(path: Path) -> ClassSet:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the classes in {path}: {error}.") from error
    place: dict[str, int] = {}
    prompts: list[list[str]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        folder, tab, prompt = line.partition("\t")
        if not (tab and folder.strip() and prompt.strip()):
            raise ConfigError(
                f"{path}, line {number}: write a folder name, a tab and a prompt, not {line!r}."
            )
        if folded(folder) not in place:
            place[folded(folder)] = len(prompts)
            prompts.append([])
        prompts[place[folded(folder)]].append(prompt.strip())
    if len(prompts) < 2:
        raise ConfigError(f"{path} has {len(prompts)} classes. Give at least two to tell apart.")
    return ClassSet(place, prompts)
