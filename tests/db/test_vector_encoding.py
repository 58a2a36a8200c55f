"""Vectors that do not fit are refused; those of a head that never moves are zeros."""

import numpy as np
import pytest

from db import vectors
from db.connection import open_bundle
from db.errors import StoreError
from db.store import BundleWriter, ImageTokens, ImageVectors
from tests.support import bundles


def test_class_vectors_that_do_not_fit_are_refused(out):
    key = bundles.MODEL_KEY
    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(key, bundles.spaces())
        with pytest.raises(StoreError, match='"red" is given twice'):
            writer.write_classes(key, ["color"] * 2, ["red"] * 2, np.ones((2, 12)))
        with pytest.raises(StoreError, match=r"shape \(1, 11\), but \(1, 12\)"):
            writer.write_classes(key, ["color"], ["red"], np.ones((1, 11)))


def test_images_out_of_order_are_refused_with_the_id(out):
    key, ids = bundles.MODEL_KEY, bundles.IMAGE_IDS
    batch = next(bundles.image_batches(key, 2))

    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(key, bundles.spaces())
        with pytest.raises(StoreError, match=f'id "{ids[0]}" comes after "{ids[1]}"'):
            writer.write_images(key, [batch, batch])


@pytest.mark.parametrize(
    ("embedding", "coordinates", "message"),
    [
        (
            np.zeros((1, 12)),
            np.zeros((1, 2, 2, 4)),
            r"coordinates have shape \(1, 2, 2, 4\), but \(1, 4, 8\)",
        ),
        (np.zeros((1, 11)), np.zeros((1, 2, 2, 8)), r"embedding have shape \(1, 11\), but \(1, 12\)"),
        (np.zeros((1, 12)), np.full((1, 2, 2, 8), np.nan), "coordinates hold a number that is not finite"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(out, embedding, coordinates, message):
    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(bundles.MODEL_KEY, bundles.spaces())
        with pytest.raises(StoreError, match=message):
            writer.write_images(bundles.MODEL_KEY, [ImageVectors(["a"], embedding, coordinates)])
        with pytest.raises(StoreError, match="token coordinates of a have shape"):
            writer.write_tokens(
                bundles.MODEL_KEY, 5, [ImageTokens("a", np.zeros((2, 2, 4, 8)), np.zeros(12))]
            )


def test_spaces_that_do_not_fit_are_refused(out):
    space = bundles.spaces()
    with BundleWriter(out, input_id="x") as writer:
        with pytest.raises(StoreError, match="do not fit"):
            writer.write_heads("a", space._replace(mean=space.mean[:, :4]))
        with pytest.raises(StoreError, match="do not fit"):
            writer.write_heads("a", space._replace(covariance=space.covariance[:, :4]))
        with pytest.raises(StoreError, match="not sorted by layer, then head"):
            writer.write_heads("a", space._replace(head=space.head[::-1]))


def test_a_head_that_never_moves_is_stored_as_zeros(out):
    """
    Its scale is 0; dividing by it would store not-a-number.
    """
    key, space, y = bundles.MODEL_KEY, bundles.spaces(), bundles.coordinates()
    scale = space.scale.copy()
    scale[0], y[:, 0] = 0, space.mean[0].astype(np.float64)

    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        bundles.write_vectors(writer, bundles.CONTROL_KEY)
        writer.write_heads(key, space._replace(scale=scale))
        bundles.write_classes(writer, key)
        writer.write_images(key, [ImageVectors(bundles.IMAGE_IDS, bundles.embeddings(), y)])
        writer.write_texts(key, bundles.TEXT_IDS, bundles.text_embeddings())
        tokens = zip(bundles.GALLERY, bundles.tokens()[::3], bundles.rests()[::3], strict=True)
        writer.write_tokens(key, bundles.TOKENS, (ImageTokens(*image) for image in tokens))
        writer.finish()

    _, coordinates = vectors.image_coordinates(open_bundle(out), key, None, bundles.PAIRS[:1])
    assert np.abs(coordinates).max() == pytest.approx(0, abs=1e-8)
