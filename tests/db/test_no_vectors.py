"""A model without vectors in a bundle: sound as it is, named when asked for, refused where it pretends."""

import numpy as np
import pytest

from db import bundle as commands
from db import vectors
from db.connection import open_bundle
from db.errors import BundleDamaged, NoVectors, StoreError
from db.layout import VECTORS
from db.store import BundleWriter
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, MODEL_KEY, MODELS
from tests.support.imported import mixed_tables, write_mixed

ASKS = {
    "spaces": lambda bundle, key: vectors.head_spaces(bundle, key),
    "images": lambda bundle, key: vectors.image_coordinates(bundle, key, None, [(1, 0)]),
    "image embeddings": lambda bundle, key: vectors.image_embeddings(bundle, key),
    "text embeddings": lambda bundle, key: vectors.text_embeddings(bundle, key),
    "classes": lambda bundle, key: vectors.class_embeddings(bundle, key, "color"),
    "gallery": lambda bundle, key: vectors.gallery(bundle, key),
    "tokens": lambda bundle, key: vectors.tokens(bundle, key, bundles.GALLERY[0]),
    "ids": lambda bundle, key: vectors.image_ids(bundle, key),
    "blocks": lambda bundle, key: list(vectors.coordinate_blocks(bundle, key, [(1, 0)])),
    "nearest": lambda bundle, key: vectors.nearest(
        bundle, key, 1, 0, np.ones(bundles.RANK), metric="cosine", k=1
    ),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    bundle = open_bundle(write_mixed(tmp_path_factory.mktemp("mixed") / "bundle", mixed_tables()))
    yield bundle
    bundle.close()


@pytest.mark.parametrize("what", ASKS)
def test_every_question_for_vectors_is_answered_for_one_model_and_refused_for_the_other(mixed, what):
    ASKS[what](mixed, MODEL_KEY)

    with pytest.raises(NoVectors, match=f"{MODELS[CONTROL_KEY]} .* without vectors"):
        ASKS[what](mixed, CONTROL_KEY)


def test_the_tools_for_bundles_take_both_models_together(mixed, tmp_path, capsys):
    packed = tmp_path / "mixed.zip"

    codes = [
        commands.main(["verify", str(mixed.path)]),
        commands.main(["zip", str(mixed.path), str(packed)]),
        commands.main(["diff", str(mixed.path), str(packed)]),
        commands.main(["show", str(packed)]),
    ]

    assert codes == [0, 0, 0, 0]
    said = capsys.readouterr().out
    assert "2 layers x 2 heads" in said and "4 heads, imported without vectors" in said
    assert 'largest error of "contributions sum to the embedding": 2.5e-07' in said


@pytest.mark.parametrize(
    "fact", ["grid_rows", "rank", "weights_sha256", "max_sum_error", "precision", "mean"]
)
def test_a_model_with_vectors_must_have_the_facts_they_need(tmp_path, fact):
    tables = mixed_tables()
    tables["model"] = tables["model"].astype({fact: object})
    tables["model"].loc[tables["model"]["model_key"] == MODEL_KEY, fact] = None

    with pytest.raises(StoreError, match=f"{MODEL_KEY} .* no {fact}"):
        write_mixed(tmp_path / "bundle", tables)


def test_a_model_that_is_not_in_float32_must_say_what_that_changes(tmp_path):
    tables = mixed_tables()
    tables["model"].loc[tables["model"]["model_key"] == MODEL_KEY, "precision"] = "bf16"

    with pytest.raises(StoreError, match=f"{MODEL_KEY} is in bf16"):
        write_mixed(tmp_path / "bundle", tables)


@pytest.mark.parametrize(
    ("table", "column", "says"),
    [
        ("head", "importance", "L1.H0 lacks rank or importance"),
        ("head_text", "margin", "L1.H0 lacks a share or a margin"),
    ],
)
def test_heads_of_a_model_with_vectors_must_have_their_numbers(tmp_path, table, column, says):
    tables = mixed_tables()
    first = tables[table].index[tables[table]["model_key"] == MODEL_KEY][0]
    tables[table].loc[first, column] = None

    with pytest.raises(StoreError, match=f"{MODEL_KEY} {says}"):
        write_mixed(tmp_path / "bundle", tables)


def test_a_model_without_vectors_in_its_row_may_have_none(tmp_path):
    with BundleWriter(tmp_path / "bundle", input_id="both") as writer:
        for name, rows in mixed_tables().items():
            writer.write(name, rows)
        for model_key in MODELS:
            bundles.write_vectors(writer, model_key)

        with pytest.raises(StoreError, match=f"images__{CONTROL_KEY} "):
            writer.finish()


def test_vectors_that_are_lost_are_missed(tmp_path):
    """That some bundles have no folder of vectors must not hide that this one had."""
    out = write_mixed(tmp_path / "bundle", mixed_tables())
    (out / VECTORS).rename(tmp_path / "lost")

    with pytest.raises(BundleDamaged, match=VECTORS):
        open_bundle(out)
