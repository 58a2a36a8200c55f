"""One's own images, decomposed without a bundle, or refused."""

import numpy as np
import pytest
from PIL import Image

import headlight
from tests.conftest import CONTROL


def test_own_images_are_decomposed_without_a_bundle(small_bundle, scene_folder):
    paths = sorted(scene_folder.glob("*.png"))[:3]
    parts = headlight.decompose(CONTROL, paths, layers=2, batch_size=2)
    heads = [(layer, head) for layer in parts.layers for head in range(parts.basis.shape[1])]
    total = parts.early + parts.mlp.sum(axis=1) + sum(parts.contribution(head) for head in heads)

    np.testing.assert_allclose(total, parts.embedding, rtol=0, atol=1e-5)
    assert parts.sum_error.max() < 1e-5
    with headlight.open(small_bundle) as bundle:
        image_id, embedding = bundle.embeddings(CONTROL)
        assert bundle.models()["model_key"].tolist() == [parts.model_key]
        stored = embedding[[image_id.index(one) for one in parts.image_id]]
        np.testing.assert_allclose(parts.embedding, stored, rtol=0, atol=1e-3)
        y = bundle.coordinates(CONTROL, heads[-1])
        mean = bundle.basis(CONTROL, heads[-1]).mean
        stored = y.values[[y.image_id.index(one) for one in parts.image_id]] + mean
        np.testing.assert_allclose(parts.coordinates[:, -1, -1], stored, rtol=0, atol=1e-3)
    with pytest.raises(headlight.UserError, match="There are L"):
        parts.contribution("L0.H0")


def test_own_images_come_as_paths_bytes_or_pictures(scene_folder):
    file = sorted(scene_folder.glob("*.png"))[0]
    embeddings = [
        headlight.decompose(CONTROL, image, layers=1).embedding
        for image in (file, str(file), file.read_bytes(), Image.open(file))
    ]

    assert all(np.array_equal(one, embeddings[0]) for one in embeddings)


@pytest.mark.parametrize(
    ("model", "images", "says"),
    [
        (CONTROL, [], "no images were given"),
        (CONTROL, "nowhere.png", "nowhere.png cannot be read"),
        (CONTROL, b"no image", "an image cannot be read"),
        ("ViT-B-23/openai", "PICTURE", "Close names: "),
    ],
)
def test_what_cannot_be_decomposed_is_refused(scene_folder, model, images, says):
    images = sorted(scene_folder.glob("*.png"))[0] if images == "PICTURE" else images
    with pytest.raises(headlight.UserError, match=says):
        headlight.decompose(model, images)
