"""What removing labeled heads does to the shipped demo model, on scenes it has never seen."""

import pytest

from db.connection import Bundle, open_bundle, query
from precompute import demo
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from tests.conftest import small_config
from tests.support.paths import TEXTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("validation")
    main(["scenes", "--out", str(folder / "scenes"), "--count", "240", "--seed", "11"])
    config = small_config(
        folder / "scenes",
        TEXTS / "demo.tsv",
        folder / "bundle",
        models=(ModelChoice(demo.MODEL_NAME),),
        prompts=TEXTS / "demo_prompts.tsv",
        layers=4,
        picks=20,
        shard_size=512,
        controls=True,
        validation=True,
    )
    return open_bundle(pipeline_run.run(config))


def left(bundle, kind: str, attribute: str, effect: str = "forward", property: str | None = None) -> float:
    """Zero-shot accuracy of the trained model."""
    sql = """
        select value from validation_score join model using (model_key)
        where not is_control and study = 'mean_ablation' and subject_kind = $kind and attribute = $attribute
            and effect = $effect and k = 0 and property is not distinct from $property
    """
    keys = {"kind": kind, "attribute": attribute, "effect": effect, "property": property}
    [value] = query(bundle, sql, keys).value
    return float(value)


@pytest.mark.parametrize(
    ("name", "most", "others"),
    [("background", 0.4, ("color", "position", "category")), ("color", 0.05, ("background", "position"))],
)
def test_without_the_heads_called_background_backgrounds_are_lost_and_colors_are_not(
    bundle, name, most, others
):
    """Nor are they without as many other heads that vary as much. Colors are spread over more heads."""
    lost = {
        of: left(bundle, "nothing", of, "") - left(bundle, "property", of, property=name)
        for of in (name, *others)
    }
    random_heads = left(bundle, "nothing", name, "") - left(bundle, "random_heads", name, property=name)

    assert lost[name] > most
    assert lost[name] > 5 * random_heads
    assert all(lost[other] < lost[name] / 3 for other in others)


def test_labels_of_a_trained_model_beat_chance_and_those_of_its_control_do_not(bundle):
    rows = query(bundle, "select * from validation_score join model using (model_key) where study = 'labels'")
    rows = rows[(rows.measure == "right") & (rows.method == "variance_share") & (rows.attribute == "")]
    trained, control = rows[~rows.is_control].iloc[0], rows[rows.is_control].iloc[0]

    assert trained.value > 2 * trained.chance
    assert control.value < trained.value / 2
    assert trained["count"] >= 30  # of 32 heads; the others act on no attribute


def test_only_a_trained_model_has_strong_heads(bundle):
    rows = query(
        bundle, "select * from validation_score join model using (model_key) where measure = 'heads_strong'"
    )

    assert rows[~rows.is_control].value.min() >= 4
    assert rows[rows.is_control].value.max() <= 1
