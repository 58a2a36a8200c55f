"""Results that do not fit their pool, their model or each other are refused."""

import pytest

from precompute.inputs.text_pool import PoolError
from precompute.inputs.textspan_files import ResultsError
from precompute.tools.import_textspan.options import ImportTask
from precompute.tools.import_textspan.run import run
from tests.support.imported import HEADS, task, write_blocks, write_table


def test_texts_without_a_property_by_the_lexical_rule_need_a_pool(tmp_path):
    file = write_blocks(tmp_path / "r.txt", {(0, 0): ["qwx", "zzyzx"]})

    with pytest.raises(PoolError, match=r"r\.txt.*--texts"):
        run(ImportTask((file,), ("mine/one",), tmp_path / "b"))


def test_texts_that_the_pool_lacks_are_named(tmp_path):
    import_task = task(tmp_path, tmp_path / "b")
    strange = [f"strange text {i}" for i in range(7)]
    write_blocks(import_task.files[0], {(0, 0): ["color number 0", *strange]})

    with pytest.raises(PoolError) as refused:
        run(import_task)

    message = str(refused.value)
    assert "lacks 7 texts of known.txt: 'strange text 0'" in message and "and 2 more" in message
    assert "'strange text 5'" not in message and not import_task.bundle.exists()


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ((11, 15), r"head 15 \(L11\.H15\), but ViT-B-32 has 12 heads"),
        ((12, 0), "layer 12, but ViT-B-32 has 12 layers"),
    ],
)
def test_heads_that_the_architecture_does_not_have_are_refused(tmp_path, head, says):
    import_task = task(tmp_path, tmp_path / "b")
    write_table(import_task.files[0], {head: HEADS[10, 0]})

    with pytest.raises(ResultsError, match=f"known.txt has {says}.*--model"):
        run(import_task)


def test_two_spellings_of_one_model_are_one_model(tmp_path):
    import_task = task(tmp_path, tmp_path / "b", models=("ViT-B-32/laion2b_e16", "ViT-B-32/laion2b-e16"))

    with pytest.raises(ResultsError, match="ViT-B-32/laion2b_e16, .* twice"):
        run(import_task)
