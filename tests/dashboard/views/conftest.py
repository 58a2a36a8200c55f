"""The tiny bundle, served to the pages; a bundle of one model and imported results."""

import pytest

from db.store import BundleWriter
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, MODEL_KEY

IMPORTED = {
    "has_vectors": False,
    "images": None,
    "gallery_images": None,
    "max_sum_error": None,
    "precision": None,
    "layers": None,
}


@pytest.fixture(scope="module")
def bundle(two_models):
    return two_models


@pytest.fixture(autouse=True)
def _serve(bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """The tiny bundle, but of its second model only texts and labels are known, as from a file."""
    tables = bundles.tables()
    model, head = tables["model"], tables["head"]
    theirs = model["model_key"] == CONTROL_KEY
    for name, value in IMPORTED.items():
        model[name] = model[name].astype(object).mask(theirs, value)
    head["importance"] = head["importance"].mask(head["model_key"] == CONTROL_KEY)
    with BundleWriter(tmp_path_factory.mktemp("imported") / "tiny", input_id="imported") as writer:
        for name, rows in tables.items():
            if name in (
                "head_text",
                "head_metric",
                "head_selectivity",
                "head_validation",
                "validation_score",
            ):
                mine = rows["model_key"] == CONTROL_KEY
                if name == "head_text":
                    shares = ["variance_share", "cumulative_share", "margin", "stability"]
                    rows[shares] = rows[shares].mask(mine)
                else:
                    rows = rows[~mine]
            writer.write(name, rows)
        bundles.write_vectors(writer, MODEL_KEY)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A bundle that was built without class texts, validation, masks and controls."""
    out = tmp_path_factory.mktemp("plain") / "tiny"
    left_out = {"class_text", "head_validation", "validation_score", "rotated_metric"}
    with BundleWriter(out, input_id="plain") as writer:
        for name, rows in bundles.tables().items():
            if name not in left_out:
                writer.write(name, rows.assign(gallery_images=0) if name == "model" else rows)
        for model_key in bundles.MODELS:
            writer.write_heads(model_key, bundles.spaces(model_key))
            writer.write_images(model_key, bundles.image_batches(model_key, 5))
            writer.write_texts(model_key, bundles.TEXT_IDS, bundles.text_embeddings())
            writer.write_tokens(model_key, bundles.TOKENS, [])
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})
