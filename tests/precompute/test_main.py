"""`python -m precompute`: commands and what they print."""

import shutil
import subprocess
import sys

import pytest

from db import queries
from db.connection import open_bundle
from precompute import demo
from precompute.__main__ import COMMANDS, main
from precompute.demo.world.pool import PROMPTS_PATH, prompts
from precompute.pipeline.setup import work_directory
from precompute.runtime import work_files
from precompute.stages import decompose_images
from tests.conftest import CONTROL


def arguments(scene_folder, pool_file, bundle, *more: str) -> list[str]:
    return [
        *["run", "--images", str(scene_folder), "--texts", str(pool_file), "--bundle", str(bundle)],
        *["--layers", "1", "--rotations", "19", "--gallery-images", "2", "--workers", "0"],
        *more,
    ]


def test_one_command_makes_a_bundle(scene_folder, pool_file, tmp_path, capsys):
    code = main(arguments(scene_folder, pool_file, tmp_path / "b", "--model", CONTROL))

    assert code == 0
    assert open_bundle(tmp_path / "b").manifest["models"][0]["model"] == CONTROL
    said = capsys.readouterr().err
    assert "40 images; " in said and "; 9 texts of 3 properties" in said
    assert f"headlight view {tmp_path / 'b'}" in said


def test_prompts_and_controls_are_asked_for_by_name(scene_folder, pool_file, tmp_path):
    known = ["--metadata", str(scene_folder / "attributes.csv"), "--prompts", str(PROMPTS_PATH)]
    options = ["--model", demo.MODEL_NAME, *known, "--no-controls"]

    assert main(arguments(scene_folder, pool_file, tmp_path / "b", *options)) == 0

    bundle = open_bundle(tmp_path / "b")
    assert [model["model"] for model in bundle.manifest["models"]] == [demo.MODEL_NAME]
    attributes = set(queries.class_texts(bundle)["attribute"])
    assert {"category", "color", "animal"} <= attributes <= {name for name, _, _ in prompts()}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--model", "ViT-B-23/openai"], "Close names: "),
        (["--model", "RN50/openai"], "ModifiedResNet"),
        (["--model", "ViT-B-32/mine", "--checkpoint", "mine.pt"], "--activation"),
        (["--model", CONTROL, "--model", CONTROL], "given twice"),
        (["--model", CONTROL, "--checkpoint", "other/model=x.pt"], "no --model other/model is given"),
        (["--model", CONTROL, "--metadata", "nowhere.csv"], "nowhere.csv"),
        (["--model", CONTROL, "--prompts", "nowhere.tsv"], "cannot read the prompts nowhere.tsv"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(scene_folder, pool_file, tmp_path, capsys, more, says):
    code = main(arguments(scene_folder, pool_file, tmp_path / "b", *more))

    assert code == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("make", ["missing", "empty", "file"])
def test_a_folder_without_images_says_so(pool_file, tmp_path, capsys, make):
    folder = tmp_path / "pictures"
    if make == "empty":
        folder.mkdir()
    if make == "file":
        folder.write_text("I am a file")

    code = main(arguments(folder, pool_file, tmp_path / "b", "--model", CONTROL))

    assert code == 1
    assert str(folder) in capsys.readouterr().err


def test_a_checkpoint_of_another_shape_is_refused_before_loading(scene_folder, pool_file, tmp_path, capsys):
    import torch

    torch.save({"visual.proj": torch.zeros(3, 5)}, tmp_path / "wrong.pt")
    options = ["--model", "ViT-B-32/openai", "--checkpoint", str(tmp_path / "wrong.pt")]

    code = main(arguments(scene_folder, pool_file, tmp_path / "b", *options))

    assert code == 1
    assert "[3, 5]" in capsys.readouterr().err


def test_a_pool_with_words_the_model_never_saw_is_refused_by_name(scene_folder, tmp_path, capsys):
    (tmp_path / "pool.tsv").write_text("a photo of a gnu\tanimal\n")

    code = main(arguments(scene_folder, tmp_path / "pool.tsv", tmp_path / "b", "--model", CONTROL))

    assert code == 1
    assert "gnu" in capsys.readouterr().err


def test_a_second_run_on_one_output_is_refused_at_once(scene_folder, pool_file, tmp_path, capsys):
    """Before it has read an image. That a kill of the first lets it in is tested in test_kills.py."""
    with work_files.locked(work_directory(tmp_path / "b")) as directory:
        code = main(arguments(scene_folder, pool_file, tmp_path / "b", "--model", CONTROL))

        assert [path.name for path in directory.iterdir()] == ["lock"]
    assert code == 1
    assert capsys.readouterr().err == (
        f"error: another run is writing {directory}. Wait for it to end, or give another --bundle.\n"
    )


def test_an_image_that_vanishes_after_the_scan_stops_the_run_by_name_and_costs_nothing(
    scene_folder, pool_file, tmp_path, capsys, monkeypatch
):
    """Put back, it is not even scanned again; what was taken apart before it is kept."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for file in sorted(scene_folder.glob("*.png"))[:6]:
        shutil.copy2(file, folder)
    one_by_one = ["--shard-size", "1", "--batch-size", "1"]
    command = arguments(folder, pool_file, tmp_path / "b", "--model", CONTROL, *one_by_one)
    run_missing = decompose_images.run_missing

    def first_hide_the_last(model, shards, distinct, *given, **options):
        last = distinct[shards[-1].image_id[0]].path
        last.rename(tmp_path / "hidden")
        try:
            run_missing(model, shards, distinct, *given, **options)
        finally:
            (tmp_path / "hidden").rename(last)

    with monkeypatch.context() as patched:
        patched.setattr(decompose_images, "run_missing", first_hide_the_last)
        assert main(command) == 1
    said = capsys.readouterr().err
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if ".b.work" in str(path)}

    assert main(command) == 0
    assert "was readable when scanned, but now: cannot be opened" in said and "Run again." in said
    assert len([path for path in kept if path.parent.name == "images"]) == 5
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_help_teaches_by_example():
    done = subprocess.run(
        [sys.executable, "-m", "precompute", "run", "--help"], capture_output=True, text=True, check=True
    )

    assert "--model ViT-B-32/openai --images photos" in done.stdout
    assert "repeat the same command" in done.stdout


@pytest.mark.parametrize("words", [[], ["models"]])
def test_help_loads_nothing_heavy(words):
    """In a process of its own, for the CPU time of it to count."""
    code = f"""
import sys, time
from precompute.__main__ import COMMANDS, main
try:
    main([*{words!r}, "--help"])
except SystemExit:
    loaded = [name for name in ("torch", "pandas", "duckdb") if name in sys.modules]
    print(loaded, time.process_time() < 0.3)
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[] True"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_description_and_help(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"], prog="program")

    text = capsys.readouterr().out
    assert text.startswith(f"usage: program {command}") and "python -m precompute run" not in text
    assert len(text) > 300


def test_a_library_that_is_missing_is_named_and_not_hidden(monkeypatch):
    """`headlight` turns this error into the line that installs the library."""
    monkeypatch.setitem(sys.modules, "precompute.inputs.model_options", None)
    monkeypatch.delitem(sys.modules, "precompute.pipeline.options", raising=False)

    with pytest.raises(ModuleNotFoundError, match="model_options"):
        main(["run", "--help"])
