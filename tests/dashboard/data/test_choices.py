"""What the sidebar and the about box say of a bundle."""

from dashboard.data import cached, choices
from tests.support.bundles import MODEL_KEY


def test_the_licenses_of_images_and_texts_are_stated(tiny_bundle):
    source = cached.source(cached.bundle(tiny_bundle), "tiny", MODEL_KEY)

    assert choices.licenses(source).replace("\\", "") == "Images: CC0-1.0. Texts: CC0-1.0"
