"""An import of results gives a bundle with labels and metrics by our rules, without vectors."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from db import bundle as commands
from db import vectors
from db.connection import open_bundle, query
from db.diff import diff
from db.errors import BundleExists, NoVectors
from precompute.tools.import_textspan.options import ImportTask
from precompute.tools.import_textspan.run import run
from tests.support.imported import HEADS, KNOWN, OWN, PROPERTIES, task, write_blocks, write_imported
from tests.support.paths import REFERENCE


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    """A bundle with both models, shared by all tests, which must not change it."""
    folder = tmp_path_factory.mktemp("imported")
    return write_imported(folder / "results", folder / "bundle")


@pytest.fixture
def opened(imported):
    bundle = open_bundle(imported)
    yield bundle
    bundle.close()


def rows(bundle, sql: str) -> list[tuple]:
    return [tuple(row) for row in query(bundle, sql).itertuples(index=False)]


def key_of(bundle, name: str) -> str:
    return next(model["model_key"] for model in bundle.manifest["models"] if model["model"] == name)


def test_texts_of_heads_keep_their_order(opened):
    texts = query(
        opened,
        "select layer, head, text from head_text join text using (text_id) where model_key = $key "
        "order by layer, head, head_text.position",
        {"key": key_of(opened, KNOWN)},
    )

    assert {head: rows["text"].tolist() for head, rows in texts.groupby(["layer", "head"])} == HEADS


def test_each_head_gets_the_common_property_of_its_texts_as_label(opened):
    labels = query(
        opened,
        "select layer, head, label, method, picks, chosen from head_label where model_key = $key "
        "order by layer, head",
        {"key": key_of(opened, KNOWN)},
    )

    assert labels["label"].tolist() == ["color", "shape", "weather", "color"]
    assert set(zip(labels["method"], labels["picks"], labels["chosen"], strict=True)) == {
        ("enrichment", 10, True)
    }


def test_labels_have_their_evidence(opened):
    """Three of five texts are weaker evidence than five of five."""
    labels = query(
        opened,
        "select tail, p_value, q_value, supported, carrying_picks from head_label where model_key = $key "
        "order by layer, head",
        {"key": key_of(opened, KNOWN)},
    )

    assert labels["tail"].idxmax() == 1 and labels["tail"].nunique() == 2
    assert labels["p_value"].between(1 / 1000, 1).all() and (labels["q_value"] >= labels["p_value"]).all()
    significant = labels["q_value"] <= 0.05
    assert labels["supported"].tolist() == (significant & (labels["carrying_picks"] >= 2)).tolist()


def test_consistency_counts_the_first_five_texts_that_carry_the_label(opened):
    answers = rows(opened, "select layer, head, value from head_metric where metric = 'ccs' order by all")

    assert answers == [(3, 0, 5.0), (3, 2, 3.0), (10, 0, 5.0), (10, 1, 3.0), (11, 0, 5.0), (11, 1, 5.0)]


def test_every_judged_text_has_its_answer_and_a_short_list_only_as_many(opened):
    answers = rows(
        opened,
        "select layer, head, count(*), count_if(consistent) from judgement where judge = 'tag_match' "
        "group by all order by all",
    )

    assert answers == [(3, 0, 5, 5), (3, 2, 3, 3), (10, 0, 5, 5), (10, 1, 5, 3), (11, 0, 5, 5), (11, 1, 5, 5)]


@pytest.mark.parametrize(
    ("model", "metric", "value"),
    [
        (KNOWN, "entanglement", 2 / 4),  # the two heads of color
        (KNOWN, "entanglement_smallest", 1 / 6),  # two heads drawn of four: one pair of six is the same
        (OWN, "entanglement_smallest", 1.0),
        (KNOWN, "uniqueness", 2 / 4),
        (KNOWN, "text_consistency", 18 / 20),
        (KNOWN, "association_4", 3 / 4),
        (KNOWN, "association_3", 1.0),
    ],
)
def test_metrics_of_a_model_follow_from_its_labels_without_chance(opened, model, metric, value):
    metrics = query(
        opened,
        "select value, chance, labels from model_metric where model_key = $key and metric = $metric "
        "and heads_used = 'all'",
        {"key": key_of(opened, model), "metric": metric},
    )

    assert metrics["value"].tolist() == pytest.approx([value])
    assert metrics["chance"].isna().all() and metrics["labels"].tolist() == ["offline"]


def test_the_description_of_supported_share_is_that_of_imported_results(opened):
    [(description,)] = rows(opened, "select description from metric where metric = 'supported_share'")

    assert "mixed from the texts of all heads" in description


def test_quantities_that_depend_on_outputs_of_heads_are_null_and_not_zero(opened):
    assert rows(opened, "select distinct rank is null, importance is null from head") == [(True, True)]
    null = "variance_share is null, cumulative_share is null, margin is null"
    assert rows(opened, f"select distinct {null} from head_text") == [(True, True, True)]
    assert rows(opened, "select distinct metric from head_metric") == [("ccs",)]
    assert rows(opened, "select count(*) from component_share") == [(0,)]


def test_facts_of_a_known_model_come_from_its_name(opened):
    facts = query(opened, "select * from model where model = $model", {"model": KNOWN}).iloc[0]

    sizes = ["layers", "first_layer", "heads", "d_head", "d_model", "d_out", "image_size", "patch_size"]
    assert [facts[name] for name in sizes] == [12, 10, 12, 64, 768, 512, 224, 32]
    assert (facts["grid_rows"], facts["context_length"]) == (7, 77)
    assert (facts["activation"], facts["interpolation"]) == ("quick_gelu", "bicubic")
    assert facts["parameters"] == 151_277_313
    assert facts["training_data"].startswith("WebImageText")
    assert not facts["has_vectors"] and facts[["weights_sha256", "rank", "images"]].isna().all()


def test_facts_of_an_unknown_model_come_from_the_file(opened):
    facts = query(opened, "select * from model where model = $model", {"model": OWN}).iloc[0]

    assert (facts["architecture"], facts["weights"]) == ("my-tower", "first")
    assert (facts["first_layer"], facts["heads"]) == (3, 3)
    assert facts[["layers", "d_model", "activation", "training_data"]].isna().all()


def test_the_key_of_a_model_is_the_hash_of_its_results(opened, imported):
    results = (imported.parent / "results" / "known.txt").read_bytes()

    assert key_of(opened, KNOWN) == f"ViT-B-32-openai-{hashlib.sha256(results).hexdigest()[:8]}"


def test_the_bundle_names_the_file_of_each_model(opened, imported):
    runs = query(opened, "select model_key, stage, options from run order by model_key")
    origins = {row.model_key: json.loads(row.options) for row in runs.itertuples()}

    own = origins[key_of(opened, OWN)]
    sha256 = hashlib.sha256((imported.parent / "results" / "own.csv").read_bytes()).hexdigest()
    assert (own["file"], own["sha256"], own["texts"]) == ("own.csv", sha256, "pool.tsv")
    assert sorted(origins.values(), key=str) == sorted(opened.manifest["imported"], key=str)
    assert set(runs["stage"]) == {"import"}


def test_there_are_no_images_and_the_whole_pool(opened):
    assert rows(opened, "select name, images, files, failed from image_set") == [("none", 0, 0, 0)]
    pool = rows(opened, "select name, language, license, texts, tagged_by_rule from text_pool")
    assert pool == [("pool", "en", "CC0-1.0", 24, 0)]
    assert rows(opened, "select property, texts from property order by property") == [
        (property, 6) for property in PROPERTIES
    ]


def test_the_same_import_makes_the_same_bundle(imported, opened, tmp_path):
    again = open_bundle(write_imported(tmp_path / "results", tmp_path / "bundle"))

    assert again.manifest["input_id"] == opened.manifest["input_id"]
    assert diff(opened, again) == []
    again.close()


@pytest.mark.parametrize("change", ["results", "pool", "model"])
def test_another_import_is_another_bundle(opened, tmp_path, change):
    one = task(tmp_path / "results", tmp_path / "bundle")
    if change == "results":
        write_blocks(one.files[0], HEADS | {(11, 2): HEADS[10, 0]})
    if change == "pool":
        one.texts.write_text(one.texts.read_text() + "one more\tcolor\n")
    if change == "model":
        one = replace(one, models=(KNOWN, "other/first"))
    run(one)

    other = open_bundle(one.bundle)

    assert other.manifest["input_id"] != opened.manifest["input_id"]
    assert diff(opened, other) != []
    other.close()


def test_the_bundle_commands_accept_an_imported_bundle(imported, tmp_path, capsys):
    packed = tmp_path / "imported.zip"

    assert commands.main(["verify", str(imported)]) == 0
    assert commands.main(["zip", str(imported), str(packed)]) == 0
    assert commands.main(["verify", str(packed)]) == 0
    assert commands.main(["diff", str(imported), str(packed)]) == 0
    assert commands.main(["show", str(imported)]) == 0

    output = capsys.readouterr().out
    assert f"{OWN}, 2 heads, imported without vectors" in output and "largest error" not in output


def test_a_query_for_vectors_raises_an_error(opened):
    key = key_of(opened, KNOWN)

    for ask in (vectors.head_spaces, vectors.gallery, vectors.image_embeddings, vectors.text_embeddings):
        with pytest.raises(NoVectors, match=KNOWN):
            ask(opened, key)


def test_without_a_pool_the_texts_of_the_results_are_the_pool_and_it_says_what_that_costs(tmp_path, capsys):
    colors, shapes = ["a red wall", "a blue sky", "a green door"], ["a square", "a circle", "a triangle"]
    file = write_blocks(tmp_path / "r.txt", {(0, 0): colors, (0, 1): [*shapes, "a red wall"]})

    run(ImportTask((file,), ("mine/one",), tmp_path / "b", license="CC-BY-4.0"))

    bundle = open_bundle(tmp_path / "b")
    assert query(bundle, "select text from text order by position")["text"].tolist() == [*colors, *shapes]
    pool = rows(bundle, "select name, language, license, texts, tagged_by_rule from text_pool")
    assert pool == [("texts of r.txt", "und", "CC-BY-4.0", 6, 6)]
    assert rows(bundle, "select head, label from head_label order by head") == [(0, "color"), (1, "shape")]
    said = capsys.readouterr().err
    assert "only the 6 texts" in said and "understates" in said and "--texts" in said
    bundle.close()


def test_a_bundle_that_is_there_is_replaced_only_when_asked_for(imported, tmp_path):
    one = task(tmp_path / "results", tmp_path / "bundle")
    run(one)

    with pytest.raises(BundleExists):
        run(one)
    assert run(replace(one, replace=True)) == one.bundle


@pytest.mark.skipif(not REFERENCE.exists(), reason="the folder of reference figures is not here")
def test_published_results_of_the_reference_implementation_are_imported_whole(tmp_path):
    """Three heads whose first texts leave no doubt keep the labels that were released for them."""
    pool = tmp_path / "general.tsv"
    pool.write_bytes((REFERENCE / "image_descriptions_general.txt").read_bytes())
    file = REFERENCE / "textspan_vit_b_16_laion2b.csv"

    run(ImportTask((file,), ("ViT-B-16/laion2b_s34b_b88k",), tmp_path / "b", texts=pool))

    bundle = open_bundle(tmp_path / "b")
    assert rows(bundle, "select count(*) from head") == [(48,)]
    assert rows(bundle, "select distinct count(*) from head_text group by layer, head") == [(60,)]
    labels = {
        (layer, head): label
        for layer, head, label in rows(bundle, "select layer, head, label from head_label")
    }
    assert [labels[head] for head in [(11, 0), (11, 9), (11, 10)]] == ["location", "counting", "color"]
    bundle.close()
