"""Files in the form of ImageNet-Segmentation's, for tests."""

from pathlib import Path

import h5py
import numpy as np

from precompute.demo.world import words
from precompute.demo.world.scenes import COLORS, draw

SCENES = 6


def written(path: Path, pictures: list[tuple[np.ndarray, np.ndarray]]) -> Path:
    """A file in the form of gtsegs_ijcv.mat: references to pictures, and to cells that refer to masks."""
    with h5py.File(path, "w") as file:
        shape = (len(pictures), 1)
        images = file.create_dataset("value/img", shape, dtype=h5py.ref_dtype)
        masks = file.create_dataset("value/gt", shape, dtype=h5py.ref_dtype)
        for number, (image, mask) in enumerate(pictures):
            held = file.create_dataset(f"#refs#/image{number}", data=image.transpose(2, 1, 0))
            inside = file.create_dataset(f"#refs#/mask{number}", data=mask.astype(np.uint8).T)
            cell = file.create_dataset(f"#refs#/cell{number}", (1, 1), dtype=h5py.ref_dtype)
            images[number, 0], cell[0, 0], masks[number, 0] = held.ref, inside.ref, cell.ref
    return path


def write_scenes(folder: Path) -> Path:
    """Scenes of one kind, wider than high."""
    drawn = [draw(index, 43, kinds=1) for index in range(SCENES)]
    return written(folder / "scenes.mat", [(one.image[24:232], one.mask[0, 24:232]) for one in drawn])


def write_classes(folder: Path) -> Path:
    """The prompts of the colors, one a line."""
    path = folder / "colors.txt"
    path.write_text("\n".join(words.prompt("color", color) for color in COLORS) + "\n")
    return path
