"""Pictures of a bundle: under a stored map they have the pixels that the model saw."""

import io
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

from precompute.inputs import images
from precompute.stages import write_bundle
from precompute.stages.decompose_images import Shard


def result(image_size, *image_ids, tmp_path):
    shards = (Shard(list(image_ids), tmp_path / "shard"),)
    return SimpleNamespace(facts={"image_size": image_size}, decomposition=SimpleNamespace(gallery=shards))


def test_an_image_has_the_largest_size_of_the_models_with_maps_of_it(tmp_path):
    results = [result(224, "a", "b", tmp_path=tmp_path), result(336, "b", tmp_path=tmp_path)]

    assert write_bundle.gallery_sides(results) == {"a": 224, "b": 336}


@pytest.mark.parametrize(("side", "shorter"), [(0, 128), (96, 128), (224, 224), (900, 300)])
def test_a_picture_under_a_map_has_the_pixels_of_the_model_and_is_never_enlarged(tmp_path, side, shorter):
    Image.effect_noise((400, 300), 60).convert("RGB").save(tmp_path / "a.png")
    [file] = images.gather(tmp_path).files
    [scanned] = images.scan([file], workers=0)
    rows = pd.DataFrame([{"image_id": scanned.image_id, "thumbnail": scanned.thumbnail}])
    image_set = SimpleNamespace(image_files={scanned.image_id: file})

    [data] = write_bundle.larger_thumbnails(rows, image_set, {scanned.image_id: side})["thumbnail"]

    with Image.open(io.BytesIO(data)) as picture:
        assert min(picture.size) == shorter


def test_without_thumbnails_no_picture_is_stored(tmp_path):
    rows = pd.DataFrame([{"image_id": "a", "thumbnail": None}])

    assert write_bundle.larger_thumbnails(rows, None, {"a": 224})["thumbnail"].tolist() == [None]
