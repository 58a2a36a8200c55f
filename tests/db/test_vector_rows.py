"""Open Lance tables live as long as their bundle."""

import gc
import weakref

from db import vectors
from db.connection import open_bundle
from tests.support import bundles
from tests.support.bundles import MODEL_KEY


def test_what_a_bundle_opened_is_forgotten_with_it(tmp_path):
    bundle = open_bundle(bundles.write_bundle(tmp_path / "demo"))
    vectors.gallery(bundle, MODEL_KEY)
    alive = weakref.ref(bundle)

    del bundle
    gc.collect()

    assert alive() is None
