"""Open Lance tables live as long as their bundle."""

import gc
import weakref

from db import vectors
from db.connection import open_bundle
from tests.support.bundles import MODEL_KEY


def test_what_a_bundle_opened_is_forgotten_with_it(tiny_bundle):
    bundle = open_bundle(tiny_bundle)
    vectors.gallery(bundle, MODEL_KEY)
    alive = weakref.ref(bundle)

    del bundle
    gc.collect()

    assert alive() is None
