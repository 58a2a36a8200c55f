"""Two bundles are compared row by row and vector by vector."""

import re
import shutil

import numpy as np
import pytest

from db import bundle as commands
from db import vectors
from db.connection import open_bundle
from db.diff import diff, table_differences, vector_differences
from db.layout import VECTORS
from db.tolerances import TOLERANCE, VECTOR_TOLERANCE
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, MODEL_KEY
from tests.support.places import edit, seal


def test_a_bundle_is_the_same_as_itself_and_its_copy(tiny, copy, capsys):
    assert commands.main(["diff", str(tiny.path), str(copy)]) == 0
    assert capsys.readouterr().out == "the same\n"


def test_diff_finds_one_changed_number(tiny, copy, capsys):
    edit(
        copy, f"update head set importance = 0.41 where model_key = '{MODEL_KEY}' and layer = 1 and head = 0"
    )

    assert commands.main(["diff", str(tiny.path), str(copy)]) == 1
    assert (
        f"head.importance: {MODEL_KEY} 1 0 is 0.4 in the first, 0.41 in the second" in capsys.readouterr().out
    )
    assert commands.main(["diff", str(tiny.path), str(copy), "--tolerance", "0.1"]) == 0


def test_diff_lets_the_last_digits_of_a_number_be(tiny, copy):
    edit(copy, "update head set importance = importance * 1.000001")

    assert list(table_differences(tiny, open_bundle(copy), TOLERANCE)) == []


FIRST_HEAD = f"model_key = '{MODEL_KEY}' and layer = 1 and head = 0"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("delete from published", "published: tiny/known entanglement A paper, .* is missing in the second"),
        ("insert into property values ('music', 0)", "property: music is missing in the first"),
        ("delete from class_text where value = 'red'", "class_text: color red is missing in the second"),
        (
            f"update head_validation set direct = null where attribute = 'color' and {FIRST_HEAD}",
            "head_validation.direct: .* color is 0.04 in the first, nan in the second",
        ),
        (
            "update validation_score set value = 0.1 where subject_kind = 'nothing' and attribute = 'color' "
            f"and model_key = '{MODEL_KEY}'",
            "validation_score.value: .* mean_ablation accuracy nothing +color  0 is 0.9 in the first, 0.1 in",
        ),
        (
            "update rotated_metric set high = 1 where metric = 'uniqueness'",
            "rotated_metric.high: .* uniqueness all is 0.9 in the first, 1.0 in the second",
        ),
        (
            "update model set control_of = null where is_control",
            "model.control_of: .* is tiny/known in the first, None in the second",
        ),
        ("update text set text = 'x' where position = 0", "text.text: .* is a photo .* in the first, x in"),
        (f"update image set thumbnail = 'x'::blob where image_id = '{IMAGE_IDS[0]}'", "image.thumbnail: "),
        (f"update model set mean = [0.5, 0.5, 0.4] where model_key = '{MODEL_KEY}'", "model.mean: "),
        (
            f"update head_metric set value = 1 where metric = 'stability' and {FIRST_HEAD}",
            "head_metric.value: .* is nan in the first, 1.0 in the second",
        ),
        (
            f"update head_label set supported = null where picks = 5 and {FIRST_HEAD}",
            "head_label.supported: .* is True in the first, None in the second",
        ),
    ],
)
def test_diff_finds_rows_texts_blobs_lists_and_missing_values(tiny, copy, sql, expected):
    edit(copy, sql)

    found = list(table_differences(tiny, open_bundle(copy), TOLERANCE))

    assert len(found) == 1
    assert re.match(expected, found[0])


def test_diff_leaves_the_times_of_a_run_alone(tiny, copy):
    edit(copy, "update run set seconds = 99")

    assert list(table_differences(tiny, open_bundle(copy), TOLERANCE)) == []


def test_diff_finds_one_changed_vector(tiny, tmp_path, monkeypatch):
    y = bundles.tokens()
    y[4, 2, 0, 1] += 0.001

    def changed(model_key: str = MODEL_KEY):
        return y if model_key == MODEL_KEY else original(model_key)

    original, spaces = bundles.tokens, bundles.spaces()
    monkeypatch.setattr(bundles, "tokens", changed)
    # The spaces stay as they were, or their mean would differ too.
    monkeypatch.setattr(bundles, "spaces", lambda key=MODEL_KEY: spaces if key == MODEL_KEY else theirs)
    theirs = vectors.head_spaces(tiny, bundles.CONTROL_KEY)
    other = open_bundle(bundles.write_bundle(tmp_path / "other"))

    found = diff(tiny, other)

    assert len(found) == 1
    assert found[0].startswith(f"images__{MODEL_KEY}.L2_H0: {IMAGE_IDS[4]} differs by up to ")


def test_diff_finds_one_changed_class_vector(tiny, tmp_path, monkeypatch):
    changed = bundles.class_embeddings(MODEL_KEY)
    changed[3, 5] += 0.01
    original = bundles.class_embeddings
    monkeypatch.setattr(
        bundles, "class_embeddings", lambda key: changed if key == MODEL_KEY else original(key)
    )

    found = diff(tiny, open_bundle(bundles.write_bundle(tmp_path / "other")))

    assert len(found) == 1
    assert found[0].startswith(f"classes__{MODEL_KEY}.embedding: shape circle differs by up to 0.01")


def test_diff_finds_that_one_bundle_cannot_be_queried(tiny, copy):
    edit(copy, "delete from class_text; delete from head_validation")
    for model_key in bundles.MODELS:
        shutil.rmtree(copy / VECTORS / f"classes__{model_key}.lance")
    seal(copy)

    found = diff(tiny, open_bundle(copy))

    assert f"classes__{MODEL_KEY}: missing in the second" in found
    assert "class_text: shape circle is missing in the second" in found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_diff_finds_a_vector_that_is_no_number(tiny, copy, value):
    """Both ways: such a value in one row hid every difference of its column."""
    stored = bundles.text_embeddings().max().astype("<f4").tobytes()
    file = next((copy / VECTORS / f"texts__{MODEL_KEY}.lance" / "data").iterdir())
    file.write_bytes(file.read_bytes().replace(stored, np.array(value, "<f4").tobytes(), 1))
    seal(copy)

    other = open_bundle(copy)
    for pair in ((tiny, other), (other, tiny)):
        [found] = vector_differences(*pair, VECTOR_TOLERANCE)
        assert found.startswith(f"texts__{MODEL_KEY}.embedding: ")
    assert list(vector_differences(other, other, VECTOR_TOLERANCE)) == []


def test_diff_finds_an_infinite_number(tiny, copy):
    edit(
        copy, f"update head set importance = 'inf' where model_key = '{MODEL_KEY}' and layer = 1 and head = 0"
    )

    found = diff(tiny, open_bundle(copy))

    assert found == [f"head.importance: {MODEL_KEY} 1 0 is 0.4 in the first, inf in the second"]
