"""The heads of the planted model, and what is read off its outputs."""

from pathlib import Path

import numpy as np
import torch

from precompute import clip
from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted import model as planted_model
from precompute.demo.planted.expected import values
from precompute.demo.planted.weights import directions
from precompute.runtime.config import ModelChoice

COLOR, SHAPE, NOISE, SILENT = (1, 0), (1, 1), (1, 2), (1, 3)

POSITION, RELAY, MUTE = (2, 0), (2, 1), (2, 2)

RED, GREEN, BLUE = "red objects", "green objects", "blue objects"


def choice(folder: Path) -> ModelChoice:
    return ModelChoice(
        planted_model.MODEL_NAME,
        checkpoint=folder / planted_folder.CHECKPOINT,
        config=folder / planted_folder.CONFIG,
        bpe=folder / planted_folder.BPE,
        activation=planted_model.ACTIVATION,
        mean=planted_model.MEAN,
        std=planted_model.STD,
        interpolation=planted_model.INTERPOLATION,
    )


def in_features(vectors) -> np.ndarray:
    """Returns vectors of the joint space in coordinates of the features."""
    return np.asarray(vectors, float) @ directions().T


def margins_of(embedding: torch.Tensor, model: clip.Clip, attribute: str) -> np.ndarray:
    words = planted_model.WORDS[attribute][: values(attribute).max() + 1]
    text = clip.encode_text(model, [planted_model.phrase(word) for word in words])
    score = torch.nn.functional.normalize(embedding, dim=-1) @ text.T
    is_value = torch.nn.functional.one_hot(torch.from_numpy(values(attribute))).bool()
    return (score[is_value] - score.masked_fill(is_value, -1).amax(dim=1)).numpy()
