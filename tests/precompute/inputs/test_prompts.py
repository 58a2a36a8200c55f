"""Prompts expand to one text per value of the images' attributes, or are refused with their line."""

from dataclasses import replace

import pytest
import torch

from precompute.clip import TextError
from precompute.inputs import prompts
from precompute.inputs.prompts import PromptError
from precompute.pipeline import run as pipeline_run
from precompute.stages import read_inputs, scan_images
from tests.conftest import small_config
from tests.support.prompts import KNOWN, attributes

FILE = """# how colors and counts are asked
color\tred\ta red thing
count\t2\ttwo things
color\tblue\tsomething as blue as the sky

color\t*\ta thing of the color {}
"""


def expand(content: str, rows=KNOWN) -> list[tuple[str, str, str]]:
    return prompts.expand(prompts.parse(content, name="mine.tsv"), attributes(rows))


def test_listed_values_come_in_the_order_of_the_file_and_template_values_follow_sorted():
    assert expand(FILE) == [
        ("color", "blue", "something as blue as the sky"),
        ("color", "green", "a thing of the color green"),
        ("color", "white", "a thing of the color white"),
    ]


def test_the_order_of_the_images_does_not_matter():
    assert expand(FILE, KNOWN[::-1]) == expand(FILE)


def test_attributes_that_no_image_has_are_unused():
    assert prompts.unused(prompts.parse(FILE, name="mine.tsv"), attributes()) == ["count"]


def test_without_a_file_only_the_class_has_prompts():
    labels = attributes([("a", "class", "cat"), ("b", "class", "arctic fox"), ("b", "color", "white")])

    assert prompts.expand(prompts.DEFAULT, labels) == [
        ("class", "arctic fox", "a photo of a arctic fox."),
        ("class", "cat", "a photo of a cat."),
    ]
    assert prompts.expand(prompts.DEFAULT, attributes()) == []


def test_a_name_with_underscores_is_asked_in_words():
    labels = attributes([("a", "class", "apple_pie")])

    assert prompts.expand(prompts.DEFAULT, labels) == [("class", "apple_pie", "a photo of a apple pie.")]


@pytest.mark.parametrize("value", ["7", "00000", "n01440764", "2023-05-01"])
def test_a_number_or_an_id_is_known_as_one_and_not_asked_without_a_file(value):
    labels = attributes([("a", "class", value), ("b", "class", "tench")])

    assert prompts.ids(prompts.DEFAULT, labels) == [value]


def test_the_classes_of_a_run_are_shown_as_they_are_asked(scene_folder, pool_file, tmp_path, capsys):
    for number, path in enumerate(sorted(scene_folder.glob("*.png"))[:4]):
        target = tmp_path / "photos" / ["001.Laysan_Albatross", "002.Auk"][number % 2] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (tmp_path / "photos" / "stray.png").write_bytes(path.read_bytes() + b"x")
    files = scan_images.list_files(tmp_path / "photos", tmp_path / "work", thumbnails=False)
    scan_images.scan(files, workers=0, thumbnails=False)

    image_set = scan_images.load_image_set(files, tmp_path / "photos", None)
    config = small_config(scene_folder, pool_file, tmp_path / "b")
    inputs = read_inputs.read_inputs(config, image_set)
    (tmp_path / "mine.tsv").write_text("# class\tAuk\ta bird\nclass\t*\ta {}\n#\n")
    read_inputs.read_inputs(replace(config, prompts=tmp_path / "mine.tsv"), image_set)

    assert [prompt.text for prompt in inputs.class_prompts] == [
        "a photo of a Auk.",
        "a photo of a Laysan Albatross.",
    ]
    shown = capsys.readouterr().err
    assert "'a photo of a Auk.'" in shown and "1 of 5 files lie in no class folder" in shown
    assert "mine.tsv: 2 comments left out, the first '# class\\tAuk\\ta bird'" in shown


def test_values_that_differ_in_case_alone_are_refused():
    known = attributes([("1", "class", "Cat"), ("2", "class", "cat")])

    with pytest.raises(PromptError, match="asked with the text of .*--prompts"):
        prompts.expand(prompts.DEFAULT, known)


def test_braces_in_a_value_are_kept():
    labels = [("a", "color", "{}"), ("b", "color", "{0}")]

    assert [text for _, _, text in expand("color\t*\tso {} it is", labels)] == ["so {0} it is", "so {} it is"]


def test_a_byte_order_mark_and_windows_line_breaks_are_ignored(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_bytes("\ufeffcolor\tred\t a red thing \r\ncolor\t*\ta {} thing\r\n".encode())

    assert prompts.load(path).rows == (("color", "red", "a red thing", 1), ("color", "*", "a {} thing", 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("color\tred", "line 1 of mine.tsv is not an attribute"),
        ("# remark\ncolor\t\tred thing", "line 2 of mine.tsv is not an attribute"),
        ("color\tred\ta\tb", "line 1 of mine.tsv is not an attribute"),
        ("color\t*\ta thing", "line 1 of mine.tsv: the text 'a thing'"),
        ("color\t*\t{} on {}", "line 1 of mine.tsv: the text '{} on {}'"),
        ("color\tred\ta {} thing", "line 1 of mine.tsv: {}"),
        ("color\tred\ta\ncolor\tred\tb", "line 2 of mine.tsv: color 'red' stands in line 1"),
        ("# nothing but remarks", "mine.tsv holds no prompt"),
        ("color\tblue\tb", "mine.tsv has no text for color 'green'"),
        (
            "color\tblue\tb\ncolor\tgreen\tb\ncolor\t*\t{}",
            "line 2 of mine.tsv: color 'green' is asked with the text of 'blue', 'b'",
        ),
    ],
)
def test_unusable_prompts_are_refused_with_their_line(content, message):
    with pytest.raises(PromptError) as refused:
        expand(content)

    assert message in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "latin.tsv").write_bytes("color\tred\tgrün".encode("latin-1"))

    with pytest.raises(PromptError, match="cannot read the prompts .*nowhere.tsv"):
        prompts.load(tmp_path / "nowhere.tsv")
    with pytest.raises(PromptError, match="latin.tsv is not UTF-8"):
        prompts.load(tmp_path / "latin.tsv")


def test_classes_mark_the_images_of_each_value():
    """Image b has one color, c has two, d none; a is not among `image_ids`."""
    class_prompts = [*expand(FILE), prompts.ClassPrompt("size", "large", "a large thing")]
    text = torch.eye(4)

    color, size = prompts.classes(class_prompts, text, attributes(), ["d", "c", "b"])

    assert (color.attribute, color.values) == ("color", ("blue", "green", "white"))
    assert color.carried.int().tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert torch.equal(color.text, text[:3]) and torch.equal(size.text, text[3:])
    assert (size.values, size.carried.int().tolist()) == (("large",), [[0], [0], [0]])


def test_a_prompt_with_an_unknown_word_is_named_with_its_line(scene_folder, pool_file, tmp_path):
    (tmp_path / "mine.tsv").write_text("# remark\nbackground\t*\ta zebra on {}\n")

    with pytest.raises(TextError, match=r"line 2 of mine.tsv \(background .*'zebra'"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "b", prompts=tmp_path / "mine.tsv"))


def test_prompts_for_attributes_that_no_image_has_are_refused(scene_folder, pool_file, tmp_path):
    (tmp_path / "mine.tsv").write_text("mood\thappy\ta picture\n")

    with pytest.raises(PromptError, match="mood"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / "b", prompts=tmp_path / "mine.tsv"))
