"""`verify-paper` on a demo model, with files in the form that papers released.

The reference files are computed by the independent float64 computation. Then each file, and the weights, are
made wrong, and the checks must fail.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from db.errors import UserError
from precompute import clip, demo
from precompute.__main__ import main
from precompute.clip import TextError
from precompute.demo.world.pool import POOL_PATH, POOL_PROPERTIES
from precompute.demo.world.scenes import BACKGROUNDS, draw
from precompute.demo.world.words import prompt
from precompute.inputs import images, model_specs, text_pool
from precompute.method import decomposition, textspan
from precompute.method.labels_from_lists import label_lists
from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper import float64_reference
from precompute.tools.verify_paper.options import add_options, verify_task
from precompute.tools.verify_paper.run import run
from precompute.validation import segmentation, segmentation_scores
from tests.support.segmented import written

MODEL = demo.MODEL_NAME
SCENES = 72
RELEASED = {name: f"{name.capitalize()}s" for name in POOL_PROPERTIES}
"""Released words of the properties."""

IDENTITY = ["contributions sum to the embedding", "our forward pass is open_clip's"]
DOUBLE = ["contributions as in float64", "texts as in float64"]
OVERLAPS = [f"overlap@{k} with the texts of others" for k in (1, 5)]
LABELS = ["our labels agree with released ones", "as many agree as with the texts of others"]
ABLATION = [
    "zero-shot accuracy",
    "points lost with input and MLPs at their mean",
    "points lost with the attention of early layers at its mean",
]
SEGMENTATION = ["pixel accuracy", "mean IoU", "mean AP"]


class Files(NamedTuple):
    """All input files, some with a wrong variant of the same form."""

    images: Path
    pool: Path
    classes: Path
    segmentation: Path
    synonyms: Path
    textspan: Path
    wrong_textspan: Path
    labels: Path
    wrong_labels: Path
    figures: Path
    wrong_figures: Path


def verified(*arguments: object) -> bool:
    """Runs `verify-paper` and returns True if it passes."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    command_line = ["--model", MODEL, "--workers", 0, *arguments]
    return run(verify_task(parser.parse_args([str(argument) for argument in command_line])))


def said(capsys) -> dict[str, list[str]]:
    """Returns the printed names of checks by status."""
    names: dict[str, list[str]] = {"PASS": [], "FAIL": [], "SKIPPED": [], "NOTED": []}
    for line in capsys.readouterr().out.splitlines():
        status, _, rest = line.strip().partition(" ")
        if status in names:
            names[status].append(rest.split(" | ")[0].strip())
    return names


def without_deep(names: list[str]) -> list[str]:
    """Drops overlap@10: halves of few images agree in too few of ten texts to give a result."""
    return [name for name in names if not name.startswith("overlap@10 ")]


def scenes_in_folders(root: Path) -> Path:
    """Writes scenes with one kind of object, in one folder per background, which is the class."""
    for index in range(SCENES):
        scene = draw(index, 41, kinds=1)
        place = root / scene.content.background
        place.mkdir(exist_ok=True)
        Image.fromarray(scene.image).save(place / f"{index}.png")
    return root


def every_fourth_text(path: Path) -> Path:
    lines = POOL_PATH.read_text().splitlines()
    path.write_text("".join(f"{line}\n" for line in [*lines[:3], *lines[3::4]]))
    return path


def in_float64(folder: Path, texts: text_pool.Pool) -> dict[tuple[int, int], list[int]]:
    """Returns picks of the heads of the last four layers, by the float64 computation."""
    model = clip.load(model_specs.resolve(MODEL, clip.catalog()))
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, 4))
    files = images.gather(folder).files
    distinct = images.distinct(files, images.scan(files, workers=0, thumbnails=False))
    pixels = images.pixel_batches(distinct, model.preprocess, batch_size=32, workers=0)
    exact = float64_reference.in_double(model)
    outputs = float64_reference.coordinates(exact, spaces, [batch for _, batch in pixels])
    text = clip.encode_text(model, texts.texts)
    return {
        (layer, head): float64_reference.picks(
            outputs[:, row, head], textspan.text_coordinates(text, spaces.basis[row, head]), 60
        )
        for row, layer in enumerate(spaces.layers)
        for head in range(model.heads)
    }


def write_lists(path: Path, lists: dict[tuple[int, int], list[int]], texts: text_pool.Pool) -> Path:
    """Writes texts in the form of the released table."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["layer", "head", "rank", "text"])
        for head, picks in lists.items():
            rows.writerows([*head, rank, texts.texts[row]] for rank, row in enumerate(picks))
    return path


def write_labels(path: Path, words: dict[tuple[int, int], str]) -> Path:
    """Writes labels in the form of the released labels."""
    architecture, weights = MODEL.split("/")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["architecture", "weights", "layer", "head", "label"])
        rows.writerows([architecture, weights, *head, word] for head, word in words.items())
    return path


def write_figures(path: Path, accuracy: float, segmented: tuple[float, ...]) -> Path:
    figures = {"accuracy": accuracy, "loss without MLPs": 0.0}
    figures |= dict(zip(SEGMENTATION, segmented, strict=True))
    lines = [f"{MODEL}\t{name}\t{value}\t{value}\trehearsal\tprimary\t-" for name, value in figures.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """All input files, for the demo model."""
    root = tmp_path_factory.mktemp("rehearsal")
    texts = text_pool.load(every_fourth_text(root / "pool.tsv"))
    folder = scenes_in_folders(tmp_path_factory.mktemp("classes"))
    lists = in_float64(folder, texts)
    heads = sorted(lists)
    shifted = {head: lists[heads[(place + 7) % len(heads)]] for place, head in enumerate(heads)}
    picks = text_pool.pick_indices([[texts.texts[row] for row in lists[head]] for head in heads], texts)
    named = [one.label for one in label_lists(picks, texts.tags, texts.properties)]
    words = {head: RELEASED[label] for head, label in zip(heads, named, strict=True)}
    other = dict(zip(RELEASED.values(), [*list(RELEASED.values())[1:], "Animals"], strict=True))

    prompts = [prompt("background", one) for one in BACKGROUNDS]
    (root / "classes.tsv").write_text(
        "".join(f"{a}\t{b}\n" for a, b in zip(BACKGROUNDS, prompts, strict=True))
    )
    (root / "synonyms.tsv").write_text("".join(f"{word}\t{own}\n" for own, word in RELEASED.items()))
    drawn = [draw(index, 43, kinds=1) for index in range(6)]
    masked = written(root / "masks.mat", [(one.image[24:232], one.mask[0, 24:232]) for one in drawn])
    model = clip.load(model_specs.resolve(MODEL, clip.catalog()))
    found = segmentation.figures(
        segmentation_scores.answers(model, masked, clip.encode_text(model, prompts), as_released=True)
    )
    right = tuple(100 * one for one in found[:3])
    return Files(
        images=folder,
        pool=root / "pool.tsv",
        classes=root / "classes.tsv",
        segmentation=masked,
        synonyms=root / "synonyms.tsv",
        textspan=write_lists(root / "theirs.csv", lists, texts),
        wrong_textspan=write_lists(root / "shifted.csv", shifted, texts),
        labels=write_labels(root / "labels.csv", words),
        wrong_labels=write_labels(root / "wrong.csv", {head: other[word] for head, word in words.items()}),
        figures=write_figures(root / "figures.tsv", 100.0, right),
        wrong_figures=write_figures(root / "wrong.tsv", 50.0, tuple(one - 60 for one in right)),
    )


def given(files: Files, **changed: Path) -> list[object]:
    """Returns command-line arguments for all files, with changes."""
    names = ["images", "pool", "classes", "segmentation", "synonyms", "textspan", "labels", "figures"]
    paths = {name: getattr(files, name) for name in names} | changed
    return [part for name, path in paths.items() for part in (f"--{name}", path)]


def test_a_correct_model_passes_all_checks(files, capsys, tmp_path):
    passed = verified(*given(files), "--json", tmp_path / "report.json")

    found = said(capsys)
    assert passed
    assert without_deep(found["PASS"]) == [*IDENTITY, *DOUBLE, *OVERLAPS, *LABELS, *ABLATION, *SEGMENTATION]
    assert found["FAIL"] == found["SKIPPED"] == without_deep(found["NOTED"]) == []
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["failed"] is False and report["images"] == SCENES
    assert report["given"]["pool"] == "pool.tsv"
    checks = [one for step in report["steps"] for one in step["checks"]]
    assert [one["name"] for one in checks if one["passed"]] == found["PASS"]
    assert all(step["seconds"] >= 0 for step in report["steps"])
    assert str(tmp_path) not in (tmp_path / "report.json").read_text()


def test_wrong_reference_texts_and_figures_fail_and_no_other_check(files, capsys):
    passed = verified(*given(files, textspan=files.wrong_textspan, figures=files.wrong_figures))

    found = said(capsys)
    assert not passed
    assert without_deep(found["FAIL"]) == [*OVERLAPS, ABLATION[0], *SEGMENTATION]
    assert found["PASS"] == [*IDENTITY, *DOUBLE, *LABELS, *ABLATION[1:]]


def test_wrong_reference_labels_fail(files, capsys):
    known = ["--pool", files.pool, "--synonyms", files.synonyms, "--labels", files.wrong_labels]
    command = ["verify-paper", "--model", MODEL, "--workers", 0, "--images", files.images, *known]

    assert main([str(one) for one in command]) == 1

    found = said(capsys)
    assert found["FAIL"] == LABELS[:1]
    assert LABELS[1] in found["SKIPPED"]


@pytest.mark.slow
def test_damaged_weights_fail_the_reference_checks_and_still_decompose_exactly(files, capsys, tmp_path):
    """The output weights of the heads are exchanged in the last layers."""
    state = load_file(demo.MODELS[MODEL].checkpoint)
    for layer in range(2, 6):
        name = f"visual.transformer.resblocks.{layer}.attn.out_proj.weight"
        state[name] = state[name].roll(8, dims=1).contiguous()
    save_file(state, tmp_path / "damaged.safetensors")

    passed = verified(*given(files), "--checkpoint", tmp_path / "damaged.safetensors")

    found = said(capsys)
    assert not passed
    assert [one for one in [*IDENTITY, *DOUBLE] if one in found["FAIL"]] == []
    assert {*OVERLAPS, ABLATION[0]} <= set(found["FAIL"])


def test_checks_without_a_file_are_skipped_with_the_reason(files, capsys, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for place, file in enumerate(images.gather(files.images).files[:24]):
        (flat / f"{place}.png").symlink_to(file.path)

    passed = verified("--images", flat)

    out = capsys.readouterr().out
    assert passed
    assert "2 passed, 0 failed, 5 skipped, 0 noted" in out
    for missing in ("no POOL given", "no TEXTSPAN given", "no LABELS given", "no SEGMENTATION given"):
        assert missing in out
    assert "the images lie in no folders named by a class" in out


def test_fewer_images_are_spread_over_all_classes(files, capsys):
    assert verified("--images", files.images, "--classes", files.classes, "--limit", 40)

    out = capsys.readouterr().out
    assert "40 images" in out
    assert "no published figure of this model" in out  # of all classes, or it would say so


def test_classes_with_unknown_words_are_refused(files):
    with pytest.raises(TextError, match="--classes"):
        verified("--images", files.images, "--segmentation", files.segmentation)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("textspan", "layer,head,rank,text\n2,0,0,a cat\n", "'a cat'"),
        ("textspan", "layer,head,rank,text\n0,0,0,red objects\n", "--textspan .* layers 2 to 5"),
        ("labels", "architecture,weights,layer,head,label\nViT-B-32,openai,8,0,Colors\n", "no labels of"),
        ("labels", "layer,head,label\n2,0,Colors\n", "column architecture"),
        ("labels", "architecture,weights,layer,head,label\nViT-emoji-S-16,pictures_1,2,x,Songs\n", "line 2"),
    ],
)
def test_files_that_do_not_fit_are_refused_before_any_image_is_read(files, tmp_path, name, content, says):
    path = tmp_path / "other.csv"
    path.write_text(content)

    with pytest.raises(UserError, match=says):
        verified(*given(files, images=tmp_path / "nowhere", **{name: path}))


def test_too_few_images_are_refused(files, tmp_path):
    (tmp_path / "one.png").symlink_to(images.gather(files.images).files[0].path)

    with pytest.raises(ConfigError, match="has 1 .* 20 or more"):
        verified("--images", tmp_path)
