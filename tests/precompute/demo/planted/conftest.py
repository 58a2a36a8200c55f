"""The planted model, its folder and the pixels of its pictures."""

from pathlib import Path

import pytest
import torch

from precompute import clip
from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted.pictures import name, pictures
from precompute.inputs import images, model_specs
from precompute.runtime.config import ModelChoice
from tests.support.planted import choice


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("planted")
    main(["planted", "--out", str(folder)])
    return folder


@pytest.fixture(scope="session")
def model(folder) -> clip.Clip:
    files = {field: getattr(choice(folder), field) for field in ModelChoice.__dataclass_fields__}
    return clip.load(model_specs.resolve(files.pop("name"), clip.catalog(), **files))


@pytest.fixture(scope="session")
def pixels(model, folder) -> torch.Tensor:
    """The model's input of all pictures, from their files."""
    files = [folder / planted_folder.IMAGES / name(index) for index in range(len(pictures()))]
    return torch.stack([model.preprocess(images.read(file)) for file in files])
