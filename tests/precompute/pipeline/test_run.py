"""The pipeline: images in, a bundle out, and nothing computed twice."""

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from db import vectors
from db.connection import open_bundle, query
from db.diff import diff
from db.errors import BundleExists
from db.layout import FORMAT
from precompute import clip, demo
from precompute.demo.world.pool import PROMPTS_PATH
from precompute.inputs import images, model_specs
from precompute.inputs.images import ImagesError
from precompute.method import moments, textspan
from precompute.pipeline import run as pipeline_run
from precompute.pipeline import setup
from precompute.runtime.config import ConfigError, ModelChoice
from precompute.runtime.method_versions import METHOD_VERSIONS
from tests.conftest import CONTROL, small_config
from tests.support.calls import count_calls
from tests.support.paths import ROOT

QUICK = {"layers": 1, "replicates": 0}
"""For a run whose heads and replicates are not what the test is about."""


def flow(text: str) -> list[str]:
    """Names in the first indented block of a text that holds arrows."""
    block = re.search(r"^    \w+ -> .*?\n\n", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"\w+", block[0])


def test_the_flow_in_the_readme_is_the_order_of_the_stages():
    readme = flow((ROOT / "README.md").read_text(encoding="utf-8"))
    stages = flow(pipeline_run.__doc__)

    assert readme == ["images", *stages, "bundle", "queries", "data", "pages"]
    folders = [ROOT / "precompute/stages", ROOT / "precompute"]
    assert all(
        any((folder / name).with_suffix(end).exists() for folder in folders for end in ("", ".py"))
        for name in stages
    )


def differences(one, other) -> list[str]:
    return diff(open_bundle(one), open_bundle(other))


def count(bundle, table: str) -> int:
    return int(query(bundle, f"select count(*) as n from {table}").n[0])


def test_a_run_fills_every_table_it_should(small_bundle):
    bundle = open_bundle(small_bundle)

    assert count(bundle, "image") == count(bundle, "image_file") == 40
    assert count(bundle, "text") == 9
    assert count(bundle, "head") == 2 * 8
    assert count(bundle, "head_text") == 16 * 6
    assert count(bundle, "head_label") == 16 * (1 + 3)  # by variance share; by enrichment, three times
    assert count(bundle, "property_head") == 16
    assert count(bundle, "judgement") == 16 * 5
    assert count(bundle, "component_share") == 1 + 4 * 2 + 16 + 2
    assert count(bundle, "failed_image") == 0
    assert len(vectors.gallery(bundle, bundle.model_keys[0])) == 8


def test_the_chosen_label_is_the_one_by_variance_share(small_bundle):
    rows = query(open_bundle(small_bundle), "select * from head_label")
    weighted, counted = rows[rows.method == "variance_share"], rows[rows.method == "enrichment"]

    assert weighted.chosen.all() and not counted.chosen.any()
    assert weighted["tail"].isna().all() and counted[["share", "lead"]].isna().all(axis=None)
    assert weighted.share.between(0, 1).all() and weighted.lead.between(0, 1).all()
    assert sorted(counted.picks.unique()) == [5, 10, 20]


def test_what_is_stored_sums_to_what_open_clip_computes(small_bundle, scene_folder):
    """Early and MLPs (`rest`) and all tokens of all heads give back encode_image, from the bundle alone."""
    bundle = open_bundle(small_bundle)
    key = bundle.model_keys[0]
    model = clip.load(model_specs.resolve(CONTROL, clip.catalog()))
    image_id = vectors.gallery(bundle, key)[0]
    [path] = query(bundle, "select path from image_file where image_id = $id", {"id": image_id}).path

    tokens = vectors.tokens(bundle, key, image_id)
    basis = vectors.head_spaces(bundle, key).basis
    total = tokens.rest + np.einsum("htr,hrd->d", tokens.coordinates, basis)

    pixels = model.preprocess(images.read(scene_folder / path))[None]
    expected = torch.nn.functional.normalize(clip.encode_image(model, pixels), dim=-1)[0].numpy()
    assert np.abs(total - expected).max() < 2e-3  # float16 in the bundle
    assert query(bundle, "select max_sum_error from model").max_sum_error[0] < 1e-5


def test_moments_of_heads_are_those_of_the_stored_coordinates(small_bundle):
    bundle = open_bundle(small_bundle)
    [key] = bundle.model_keys
    space = vectors.head_spaces(bundle, key)
    y = vectors.image_coordinates(bundle, key, None, space.pairs)[1].astype(float)
    expected = np.einsum("ina,inb->nab", y, y) / len(y)
    heads = query(bundle, "select importance from head order by layer, head")

    np.testing.assert_allclose(space.covariance, expected, atol=2e-3 * expected.max())
    np.testing.assert_allclose(space.mean_length, np.linalg.norm(y, axis=2).mean(axis=0), rtol=2e-3)
    traces = np.trace(space.covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(np.sqrt(traces), heads["importance"], rtol=1e-5)


def test_shares_of_a_model_sum_to_one(small_bundle):
    shares = query(open_bundle(small_bundle), "select sum(share) as total from component_share")

    assert shares.total[0] == pytest.approx(1, abs=1e-6)


def test_weights_of_the_last_model_are_missed_before_the_first_takes_its_hours(
    scene_folder, pool_file, tmp_path, monkeypatch
):
    loads = count_calls(monkeypatch, clip, "load")
    gone = ModelChoice("ViT-B-32/openai", checkpoint=tmp_path / "gone.pt")
    config = small_config(scene_folder, pool_file, tmp_path / "b", models=(ModelChoice(CONTROL), gone))

    with pytest.raises(model_specs.ModelError, match="no file of weights at .*gone.pt"):
        pipeline_run.run(config)
    assert loads == []


def test_the_names_and_order_of_files_leave_no_trace_in_heads(
    small_bundle, scene_folder, pool_file, tmp_path
):
    """An image is its bytes: renamed files give the same texts, labels and vectors."""
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for number, file in enumerate(sorted(scene_folder.glob("*.png"), reverse=True)):
        shutil.copy(file, renamed / f"{number:03d}.png")

    pipeline_run.run(small_config(renamed, pool_file, tmp_path / "other", metadata=None))

    tables = {line.split(":")[0].split(".")[0] for line in differences(small_bundle, tmp_path / "other")}
    assert tables <= {"bundle", "image_set", "image_file", "image_attribute", "head_selectivity"}


def test_a_finished_run_computes_nothing_twice(finished_run, monkeypatch):
    stages = [
        count_calls(monkeypatch, module, name)
        for module, name in [
            (images, "pixel_batches"),
            (moments, "from_coordinates"),
            (textspan, "textspan"),
            (textspan, "rotated_heads"),
        ]
    ]

    pipeline_run.run(replace(finished_run, replace=True))

    assert stages == [[], [], [], []]
    assert open_bundle(finished_run.bundle).manifest["format"] == FORMAT


def written_again(config, version: str, monkeypatch) -> set[str]:
    """Kinds of work files that another run writes once the version of a stage is raised."""
    before = {path for path in setup.work_directory(config.bundle).rglob("*.*")}
    monkeypatch.setitem(METHOD_VERSIONS, version, METHOD_VERSIONS[version] + 1)
    pipeline_run.run(replace(config, replace=True))
    after = {path for path in setup.work_directory(config.bundle).rglob("*.*")} - before
    return {path.name.split("-")[0] if "-" in path.name else path.parent.name for path in after}


@pytest.mark.parametrize(
    ("version", "kinds"),
    [
        ("moments", {"moments"}),
        ("textspan", {"heads", "draws"}),
        ("labels", {"draws"}),
        ("selectivity", {"selectivity"}),
        ("metrics", set()),
    ],
)
def test_a_new_method_of_a_later_stage_decomposes_no_image_again(finished_run, monkeypatch, version, kinds):
    first = open_bundle(finished_run.bundle).manifest
    passes = count_calls(monkeypatch, images, "pixel_batches")

    again = written_again(finished_run, version, monkeypatch)

    assert passes == [] and again == kinds
    last = open_bundle(finished_run.bundle).manifest
    assert last["method_versions"][version] == first["method_versions"][version] + 1
    assert last["input_id"] != first["input_id"]


def test_a_new_method_of_decomposition_decomposes_every_image_again(finished_run, monkeypatch):
    decomposed = count_calls(monkeypatch, clip, "capture")

    again = written_again(finished_run, "decomposition", monkeypatch)

    assert sum(len(pixels) for _, pixels, _ in decomposed) == 4 + 40  # the check, then all images
    assert {"images", "gallery", "moments", "heads", "draws"} <= again


def test_a_corrected_preprocessing_never_meets_old_results(scene_folder, pool_file, tmp_path):
    """The same file of weights, fed otherwise, is another model: nothing of the first run is used again."""
    checkpoint, shipped = tmp_path / "mine.pt", demo.MODELS[demo.MODEL_NAME]
    torch.save(clip.load(model_specs.resolve(CONTROL, clip.catalog())).model.state_dict(), checkpoint)

    def embeddings(mean):
        choice = ModelChoice(
            f"{shipped.architecture}/mine",
            checkpoint=checkpoint,
            activation="gelu",
            mean=mean,
            std=demo.STD,
            interpolation=demo.INTERPOLATION,
            config=shipped.config,
            bpe=demo.BPE_PATH,
        )
        config = small_config(
            scene_folder, pool_file, tmp_path / "b", models=(choice,), replace=True, **QUICK
        )
        bundle = open_bundle(pipeline_run.run(config))
        return bundle.manifest["input_id"], vectors.image_embeddings(bundle, bundle.model_keys[0])[1]

    first_id, first = embeddings((0.5, 0.5, 0.5))
    second_id, second = embeddings((0.1, 0.5, 0.9))

    assert first_id != second_id
    assert np.abs(first - second).max() > 1e-3


def test_an_existing_bundle_is_refused_before_any_work(small_bundle, scene_folder, pool_file):
    with pytest.raises(BundleExists, match="--replace"):
        pipeline_run.run(small_config(scene_folder, pool_file, small_bundle))


def test_a_folder_that_is_no_bundle_is_never_replaced(scene_folder, pool_file, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("precious")
    (tmp_path / "thesis" / "manifest.json").write_text('{"name": "a web page of mine"}')

    with pytest.raises(BundleExists, match="not a bundle"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "thesis", replace=True))

    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "precious"


def test_unreadable_images_are_listed_and_the_run_goes_on(scene_folder, pool_file, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    some = sorted(scene_folder.glob("*.png"))[:6]
    for file in some:
        shutil.copy(file, folder)
    shutil.copy(some[0], folder / "copy.png")
    (folder / "broken.jpg").write_bytes(b"not an image at all")

    bundle = open_bundle(
        pipeline_run.run(small_config(folder, pool_file, tmp_path / "b", metadata=None, **QUICK))
    )

    assert count(bundle, "image") == 6
    assert count(bundle, "image_file") == 7
    assert query(bundle, "select path from failed_image").path.tolist() == ["broken.jpg"]


def test_a_folder_of_nothing_but_damaged_files_is_refused(pool_file, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"no")

    with pytest.raises(ImagesError, match="none of the 1 image files"):
        pipeline_run.run(small_config(tmp_path / "bad", pool_file, tmp_path / "b", metadata=None))


def test_a_bundle_without_thumbnails_holds_no_picture(scene_folder, pool_file, tmp_path):
    config = small_config(scene_folder, pool_file, tmp_path / "b", thumbnails=False, **QUICK)

    bundle = open_bundle(pipeline_run.run(config))

    assert int(query(bundle, "select count(thumbnail) as n from image").n[0]) == 0


def test_two_models_stand_side_by_side(scene_folder, pool_file, tmp_path):
    other = CONTROL.replace("random-0", "random-1")
    config = small_config(
        scene_folder, pool_file, tmp_path / "b", models=(ModelChoice(CONTROL), ModelChoice(other)), **QUICK
    )

    bundle = open_bundle(pipeline_run.run(config))

    assert query(bundle, "select model from model order by model").model.tolist() == [CONTROL, other]
    per_model = query(bundle, "select model_key, count(*) as n from head group by model_key")
    assert per_model.n.tolist() == [8, 8]


@pytest.fixture(scope="module")
def asked_bundle(scene_folder, pool_file, tmp_path_factory) -> Path:
    """The small bundle, asked in the demo's prompts as well; its work files lie beside it."""
    out = tmp_path_factory.mktemp("asked") / "b"
    return pipeline_run.run(small_config(scene_folder, pool_file, out, prompts=PROMPTS_PATH))


def test_prompts_are_stored_with_what_the_model_makes_of_them(asked_bundle, scene_folder):
    bundle = open_bundle(asked_bundle)
    model = clip.load(model_specs.resolve(CONTROL, clip.catalog()))
    counts = query(bundle, "select * from class_text where attribute = 'counting' order by position")

    values, embeddings = vectors.class_embeddings(bundle, bundle.model_keys[0], "counting")

    stated = pd.read_csv(scene_folder / "attributes.csv", dtype=str)["counting"]
    assert values == counts.value.tolist() == sorted(set("|".join(stated).split("|")))
    assert counts.text[0] == "a picture with one thing"
    expected = clip.encode_text(model, counts.text.tolist()).numpy()
    np.testing.assert_allclose(embeddings, expected, atol=1e-6)


def test_prompts_change_the_name_of_a_bundle_and_nothing_else(asked_bundle, small_bundle):
    asked, plain = open_bundle(asked_bundle), open_bundle(small_bundle)

    assert asked.manifest["input_id"] != plain.manifest["input_id"]
    assert count(plain, "class_text") == 0
    assert count(asked, "class_text") > 6
    of_classes = ("bundle.input_id: ", "class_text: ", "classes__")
    assert [one for one in differences(plain.path, asked.path) if not one.startswith(of_classes)] == []


def test_a_run_with_prompts_goes_on_from_its_work_files(asked_bundle, scene_folder, pool_file):
    config = small_config(scene_folder, pool_file, asked_bundle, prompts=PROMPTS_PATH, replace=True)
    before = shutil.copytree(asked_bundle, asked_bundle.with_name("before"))
    [kept] = setup.work_directory(asked_bundle).glob("model-*/classes-*.safetensors")
    written = kept.stat().st_mtime_ns

    pipeline_run.run(config)

    assert differences(before, asked_bundle) == []
    assert kept.stat().st_mtime_ns == written


def test_another_prompt_is_not_answered_from_an_old_work_file(
    asked_bundle, scene_folder, pool_file, tmp_path
):
    work = shutil.copytree(setup.work_directory(asked_bundle), tmp_path / ".b.work")
    (tmp_path / "other.tsv").write_text("color\t*\twe see {} things\n")

    config = small_config(scene_folder, pool_file, tmp_path / "b", prompts=tmp_path / "other.tsv")
    bundle = open_bundle(pipeline_run.run(config))

    assert len(list(work.glob("model-*/classes-*.safetensors"))) == 2
    assert query(bundle, "select distinct attribute from class_text").attribute.tolist() == ["color"]
    first, second = (
        vectors.class_embeddings(b, b.model_keys[0], "color")[1] for b in (bundle, open_bundle(asked_bundle))
    )
    assert np.abs(first - second).max() > 1e-3


def test_thumbnails_are_the_whole_image_made_small(small_bundle):
    bundle = open_bundle(small_bundle)
    rows = query(bundle, "select thumbnail, width, height from image limit 3")

    for row in rows.itertuples():
        picture = Image.open(io.BytesIO(row.thumbnail))
        assert picture.size == (128, 128) and (row.width, row.height) == (256, 256)


def test_a_device_that_is_not_there_is_refused_by_name(scene_folder, pool_file, tmp_path):
    with pytest.raises(ConfigError, match="--device tpu .*: cpu"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "b", device="tpu"))


def test_more_layers_than_there_are_is_refused_by_name(scene_folder, pool_file, tmp_path):
    with pytest.raises(model_specs.ModelError, match="it has 6"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "b", layers=7))
