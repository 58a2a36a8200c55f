"""Images and texts processed live give the numbers stored in the bundle."""

import numpy as np
import pytest

from db import vectors
from db.connection import open_bundle, query
from precompute import live
from tests.conftest import CONTROL


@pytest.fixture(scope="module")
def bundle(small_bundle):
    return open_bundle(small_bundle)


def load(bundle, **changes):
    space = vectors.head_spaces(bundle, bundle.model_keys[0])
    facts = query(bundle, "select * from model").iloc[0]
    options = {
        "weights_sha256": facts.weights_sha256,
        "layers": sorted(set(space.layer.tolist())),
        "basis": space.basis,
        "activation": facts.activation,
        "mean": facts["mean"],
        "std": facts["std"],
        "interpolation": facts.interpolation,
        "resize_mode": facts.resize_mode,
    }
    return live.load(CONTROL, **(options | changes))


@pytest.fixture(scope="module")
def model(bundle):
    return load(bundle)


def test_an_image_of_the_bundle_decomposes_to_the_stored_numbers(bundle, model, scene_folder):
    key = bundle.model_keys[0]
    space = vectors.head_spaces(bundle, key)
    image_id = vectors.gallery(bundle, key)[0]
    [path] = query(bundle, "select path from image_file where image_id = $id", {"id": image_id}).path

    found = live.decompose_image(model, (scene_folder / path).read_bytes())

    stored = vectors.tokens(bundle, key, image_id)
    assert np.abs(found.tokens - stored.coordinates).max() < 1e-3 * np.abs(stored.coordinates).max()
    assert np.abs(found.rest - stored.rest).max() < 1e-6
    assert np.abs(found.tokens.sum(axis=1) - found.coordinates).max() < 1e-6
    total = found.rest + np.einsum("hr,hrd->d", found.coordinates, space.basis)
    assert np.abs(total - found.embedding).max() < 1e-5


def test_a_text_of_the_pool_is_encoded_as_it_was_stored(bundle, model):
    key = bundle.model_keys[0]
    text = query(bundle, "select text_id, text from text limit 1").iloc[0]

    [found] = live.encode_texts(model, [text.text])

    [stored] = vectors.text_embeddings(bundle, key, [text.text_id])[1]
    assert np.abs(found - stored).max() < 1e-6


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), ("a zebra", "zebra"), ("red " * 60, "tokens")])
def test_a_text_the_model_cannot_read_is_refused_with_the_reason(model, text, reason):
    with pytest.raises(live.LiveError, match=reason):
        live.encode_texts(model, [text])


def test_bytes_that_are_no_image_are_refused(model):
    with pytest.raises(live.LiveError, match="PNG or JPEG"):
        live.decompose_image(model, b"no picture")


def test_other_weights_than_the_bundles_are_refused(bundle):
    with pytest.raises(live.LiveError, match="00000000"):
        load(bundle, weights_sha256="0" * 64)
