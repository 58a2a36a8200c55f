"""What may be merged: bundles of the same texts, images and methods, and models of one set of numbers."""

import pytest

from db import merge, rewrite
from db.connection import open_bundle
from db.merge import MergeRefused, check_addable
from tests.support import boards, bundles
from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXT_IDS


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return open_bundle(boards.write_board(tmp_path_factory.mktemp("board") / "board"))


def changed(source, out, table: str, old: dict, new: dict, **manifest):
    """A copy with other values in the rows of a table that equal `old`."""
    with rewrite.open_copy(source, out, input_id="changed") as writer:
        where = " and ".join(f"{name} = '{value}'" for name, value in old.items())
        values = ", ".join(f"{name} = '{value}'" for name, value in new.items())
        writer.connection.execute(f"update {table} set {values} where {where}")
        return open_bundle(writer.finish(rewrite.inherited_facts(source) | manifest))


def refusal(first, second) -> str:
    with pytest.raises(MergeRefused) as refused:
        check_addable(first, second)
    return str(refused.value)


def test_equal_bundles_may_be_merged(tiny, tmp_path):
    check_addable(tiny, open_bundle(bundles.write_bundle(tmp_path / "again")))


def test_another_pool_is_refused_with_the_text_that_differs(tiny, out):
    with rewrite.open_copy(tiny, out, input_id="swapped") as writer:
        for text_id, name in ((TEXT_IDS[0], "shape"), (TEXT_IDS[3], "color")):
            values = [name, text_id]
            writer.connection.execute("update text_property set property = ? where text_id = ?", values)
        writer.finish()

    told = refusal(tiny, open_bundle(out))

    assert f"{tiny.path} and {out} have different text pools: text_property: " in told
    assert f"{TEXT_IDS[0]} color is missing in the second" in told


def test_other_images_are_refused_with_their_number(tiny, board):
    assert "have different images: 12 and 700 images, of which both have 12." in refusal(tiny, board)


def test_other_facts_of_the_images_are_refused(tiny, out):
    red = {"image_id": IMAGE_IDS[0], "value": "red"}
    other = changed(tiny, out, "image_attribute", red, {"value": "mauve"})

    assert f"image_attribute: {IMAGE_IDS[0]} color red is missing in the second" in refusal(tiny, other)


def test_another_version_of_a_method_is_refused_by_name(tiny, out):
    same = {"name": "tiny"}
    newer = changed(tiny, out, "text_pool", same, same, method_versions={"textspan": 2})

    assert "different versions of the methods: textspan 1 and 2." in refusal(tiny, newer)


def test_a_model_with_two_sets_of_numbers_is_refused_with_both(tiny, out):
    layer, head = PAIRS[0]

    told = refusal(tiny, open_bundle(bundles.write_bundle(out, scale=2.0)))

    assert "contradict each other: " in told
    assert f"head.importance: {MODEL_KEY} {layer} {head} is " in told


@pytest.mark.slow
def test_a_metric_that_depends_on_the_other_models_contradicts_nothing(board, out):
    alone = {"model_key": boards.ALPHA, "metric": merge.OF_SMALLEST}

    check_addable(board, changed(board, out, "model_metric", alone, {"value": 0.123, "rank_low": 4}))


@pytest.mark.slow
def test_another_value_of_any_other_metric_is_a_contradiction(board, out):
    value = {"model_key": boards.ALPHA, "metric": boards.CONSISTENT}

    assert "model_metric.value: " in refusal(
        board, changed(board, out, "model_metric", value, {"value": 0.1})
    )


def test_only_models_that_are_not_known_are_new(tiny):
    assert merge.new_models([MODEL_KEY], tiny) == [CONTROL_KEY]
