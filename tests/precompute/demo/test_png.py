"""PNG files contain exactly the pixels."""

import io

import numpy as np
from PIL import Image

from precompute.demo.png import png
from precompute.demo.world.scenes import draw

SEED = 11


def test_png_files_contain_exactly_the_pixels():
    for scene in (draw(index, SEED) for index in range(3)):
        image = np.asarray(Image.open(io.BytesIO(png(scene.image))))
        mask = np.asarray(Image.open(io.BytesIO(png(scene.mask[0]))))

        assert np.array_equal(image, scene.image)
        assert np.array_equal(mask, scene.mask[0])


def test_png_encodes_pictures_of_one_color_and_of_noise():
    noise = np.random.RandomState(0).randint(0, 256, (37, 53, 3)).astype(np.uint8)
    for picture in (noise, np.full((5, 9, 3), 7, dtype=np.uint8)):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(picture)))), picture)
