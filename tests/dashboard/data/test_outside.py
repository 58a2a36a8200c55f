"""Pages say when an uploaded image, or a text, lies outside what they compare it with."""

import numpy as np
import pytest

from dashboard.analyses import outside as analysis
from dashboard.data import cached, images, outside
from tests.support.bundles import IMAGE_IDS, MODEL_KEY


@pytest.fixture
def source(two_models):
    return cached.source(cached.bundle(two_models), "tiny", MODEL_KEY)


@pytest.fixture
def uploaded(monkeypatch):
    """An image that counts as uploaded, although its vectors are stored."""
    monkeypatch.setitem(images.uploads(), IMAGE_IDS[0], (b"", "mine.png"))
    return IMAGE_IDS[0]


def test_the_share_of_images_that_are_nearer_is_said_of_an_upload(source, uploaded, monkeypatch):
    monkeypatch.setattr(analysis, "MIN_IMAGES", 12)

    fact, warning = outside.of_image(source, uploaded, ((1, 0), (2, 1)))

    assert fact.startswith("Your image is farther from its nearest image than 0.0 % of the images")
    assert warning == ""


def test_an_upload_far_from_all_images_has_a_warning(source, uploaded, monkeypatch):
    monkeypatch.setattr(analysis, "MIN_IMAGES", 12)
    monkeypatch.setattr(outside, "query_coordinates", lambda *_: np.full((1, 8), 100.0, np.float32))

    fact, warning = outside.of_image(source, uploaded, ((1, 0),))

    assert "than 100.0 % of the images" in fact
    assert "outside the image set" in warning


def test_of_few_images_and_of_images_of_the_bundle_nothing_is_said(source, uploaded, monkeypatch):
    assert outside.of_image(source, uploaded, ((1, 0),)) == ("", "")
    monkeypatch.setattr(analysis, "MIN_IMAGES", 12)
    assert outside.of_image(source, IMAGE_IDS[1], ((1, 0),)) == ("", "")


def test_the_share_of_variance_along_a_text_is_said_beside_that_by_chance(source):
    reading = outside.text_reading(source, "a circle", (1, 0))
    fact, warning = outside.of_text(source, "a circle", (1, 0))

    assert f"{100 * reading.share:.2g} % of the variance of L1.H0" in fact
    assert ("less than by chance" in warning) == reading.outside
