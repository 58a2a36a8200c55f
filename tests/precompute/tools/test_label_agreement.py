"""Our labels against released ones: a small case with known answers, and the one of docs/agreement.md."""

import re
from collections import Counter

import pytest
import torch

from db.errors import UserError
from precompute.inputs import lexical_tags, text_pool, textspan_files
from precompute.method.types import Label, Pool
from precompute.tools import label_agreement
from tests.support.paths import REFERENCE, ROOT

PAGE = ROOT / "docs" / "agreement.md"
LISTS = REFERENCE / "textspan_vit_b_16_laion2b.csv"
LABELS = REFERENCE / "released_labels.csv"
POOL = REFERENCE / "image_descriptions_general.txt"
real = pytest.mark.skipif(not LISTS.exists(), reason="the lists of a real model are not here")

SYNONYMS = {"colors": frozenset({"color"}), "beasts": frozenset({"animal"}), "subject": frozenset()}


def small_pool():
    texts = tuple(f"{name} {number}" for name in ("color", "animal", "thing") for number in range(20))
    tags = torch.zeros(60, 2, dtype=torch.bool)
    tags[:20, 1] = tags[20:40, 0] = True
    return Pool("small", "en", None, texts, ("animal", "color"), tags, 0, 0)


def compared(ours, released, q=0.01):
    label = Label(ours, "enrichment", 10, 2, None, None, 0.001, q, q)
    return label_agreement.Compared((8, 0), label, released, SYNONYMS[released])


def test_labels_agree_if_the_released_word_stands_for_ours():
    lists = {
        (8, 0): [f"color {number}" for number in range(10)],
        (8, 1): [f"animal {number}" for number in range(10)],
        (8, 2): [f"animal {number}" for number in range(10, 20)],
    }
    released = {(8, 0): "Colors.", (8, 1): "colors", (8, 2): "Subject", (9, 0): "Beasts"}

    rows = label_agreement.compare(lists, released, small_pool(), SYNONYMS)

    assert [(row.head, row.ours.label, row.agrees) for row in rows] == [
        ((8, 0), "color", True),
        ((8, 1), "animal", False),
        ((8, 2), "animal", False),
    ]
    assert [bool(row.stands_for) for row in rows] == [True, True, False]


@pytest.mark.parametrize(
    ("word", "properties"),
    [
        ("Color", {"color"}),
        ("beast", {"animal"}),
        ("Animals.", {"animal"}),
        (" subject ", set()),
        ("Sounds", None),
        ("", None),
    ],
)
def test_a_word_is_looked_up_in_both_numbers_and_then_among_the_properties_of_the_pool(word, properties):
    assert label_agreement.properties_of(word, SYNONYMS, ("animal", "color")) == properties


def test_unknown_words_stand_for_no_property_and_are_counted_and_listed():
    lists = {(8, head): [f"color {number}" for number in range(10)] for head in range(5)}
    words = ["Sounds", "sounds", "\x1b[2J" + "x" * 1000, "Subject", "Colors"]
    released = {(8, head): word for head, word in enumerate(words)}

    rows = label_agreement.compare(lists, released, small_pool(), SYNONYMS)
    listed = label_agreement.unknown_words(rows)

    assert [row.is_known for row in rows] == [False, False, False, True, True]
    assert [row.agrees for row in rows] == [False, False, False, False, True]
    assert listed.startswith("3 heads") and "sounds (2)" in listed
    assert listed.isprintable() and len(listed) < 200
    assert label_agreement.unknown_words(rows[3:]) == ""


def test_lists_and_labels_without_a_common_head_are_refused():
    with pytest.raises(UserError, match="no head has both"):
        label_agreement.compare({(8, 0): ["color 1"]}, {(9, 0): "Colors"}, small_pool(), SYNONYMS)


def test_a_text_that_is_not_in_the_pool_is_named():
    with pytest.raises(UserError, match="small lacks 1 .* 'color 99'"):
        text_pool.pick_indices([["color 1", "color 99"]], small_pool())


def test_shorter_lists_are_filled_up():
    picks = text_pool.pick_indices([["color 1"], ["animal 0", "color 0"]], small_pool())

    assert picks.tolist() == [[1, -1], [20, 0]]


def test_baselines_are_the_most_common_property_and_permuted_labels():
    rows = [
        compared("color", "colors"),
        compared("color", "beasts"),
        compared("animal", "beasts"),
        compared("animal", "subject"),
    ]

    assert label_agreement.most_common_property(rows) == ("animal", 2)
    assert label_agreement.permuted_agreement(rows) == pytest.approx((2 + 2 + 2 + 0) / 16)


def test_supported_and_unsupported_labels_are_counted_apart():
    rows = [compared("color", "colors"), compared("color", "beasts", q=0.5), compared("animal", "subject")]

    lines = label_agreement.summary(rows).splitlines()

    assert [line.split(" | ")[1:] for line in lines[2:6]] == [
        ["1", "3", "0.33 |"],
        ["1", "2", "0.50 |"],
        ["1", "1", "1.00 |"],
        ["0", "1", "0.00 |"],
    ]
    assert "| color | 0.500 unsupported | beasts | no |" in label_agreement.table(rows)
    assert "| animal | 0.010 | subject | no such property |" in label_agreement.table(rows)


def test_a_model_without_labels_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("architecture,weights,layer,head,label\nViT-B-32,openai,8,0,Colors\n")

    assert label_agreement.read_labels(path, "ViT-B-32/openai") == {(8, 0): "Colors"}
    with pytest.raises(UserError, match="ViT-B-16/openai.* --model"):
        label_agreement.read_labels(path, "ViT-B-16/openai")


def test_labels_without_a_column_are_refused_by_its_name(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("weights,layer,head,label\nopenai,8,0,Colors\n")

    with pytest.raises(UserError, match="column architecture"):
        label_agreement.read_labels(path, "ViT-B-32/openai")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ViT-B-32,openai,8,first,Colors", "line 3 .*'first'"),
        ("ViT-B-32,openai,8", "line 3"),
        ("ViT-B-32,openai,8,0,Shapes", r"line 3 .*L8\.H0"),
        ("ViT-B-32,openai,8,1," + "x" * 200_000, "line 3: not CSV"),
        ("ViT-B-32,openai,8,1,Colors, and more", "line 3: 6 cells .*double quotes"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, row, message):
    path = tmp_path / "labels.csv"
    path.write_text(f"\ufeffarchitecture,weights,layer,head,label\nViT-B-32,openai,8,0,Colors\n{row}\n")

    with pytest.raises(UserError, match=message):
        label_agreement.read_labels(path, "ViT-B-32/openai")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_labels_in_another_encoding_are_refused_with_what_to_do(tmp_path, encoding):
    path = tmp_path / "labels.csv"
    path.write_text("architecture,weights,layer,head,label\nA,x,8,0,Caf\xe9\n", encoding=encoding)

    with pytest.raises(UserError, match="labels.csv is .*UTF-.*Save it as UTF-8"):
        label_agreement.read_labels(path, "A/x")


def test_labels_may_be_separated_by_semicolons(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("architecture;weights;layer;head;label\nA;x;8;0;Colors\n")

    assert label_agreement.read_labels(path, "A/x") == {(8, 0): "Colors"}


def test_the_command_says_in_one_line_what_it_cannot_read(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        label_agreement.main([str(tmp_path / name) for name in ("texts.csv", "labels.csv", "pool.txt")])

    message = capsys.readouterr().err
    assert end.value.code == 1
    assert message.startswith("error: ") and "texts.csv" in message and message.count("\n") == 1


def test_synonyms_stand_for_properties_that_the_lexicon_has():
    properties = {name for stands_for in label_agreement.read_synonyms().values() for name in stands_for}

    assert properties <= set(lexical_tags.load_lexicon().properties)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Numbers of things", "counting"),
        ("Letters", "letters"),
        ("People", "people"),
        ("Music", "music"),
        ("Architecture", "architecture"),
        ("Pets", "animal"),
        ("Geographical locations", "location"),
        ("Musical instruments", "music"),
        ("Facial expressions", "emotion"),
        ("Close-up views", "viewpoint"),
        ("Text", "letters"),
        ("Logos", "signage"),
    ],
)
def test_common_words_of_released_lists_have_a_line(word, name):
    assert label_agreement.properties_of(word, label_agreement.read_synonyms()) == {name}


def test_every_property_of_the_general_pool_has_a_line_of_its_name():
    synonyms = label_agreement.read_synonyms()

    for name in lexical_tags.load_lexicon().properties:
        assert name in (label_agreement.properties_of(name, synonyms) or ())


def test_a_line_of_synonyms_of_another_form_is_named(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("\ufeffHues\tcolor| shape\n# a remark\nLogos signage\n")

    with pytest.raises(UserError, match="line 3 of .*words.tsv is 'Logos signage'. Write a released word"):
        label_agreement.read_synonyms(path)
    path.write_text("\ufeffHues\tcolor| shape\nLogos\t-\n")
    assert label_agreement.read_synonyms(path) == {"hues": {"color", "shape"}, "logos": frozenset()}


def test_no_word_has_two_lines():
    lines = label_agreement.SYNONYMS.read_text(encoding="utf-8").splitlines()
    words = [label_agreement.normalize(line.split("\t")[0]) for line in lines if not line.startswith("#")]

    assert [word for word, count in Counter(words).items() if count > 1] == []


@real
def test_every_released_word_has_a_line():
    synonyms = label_agreement.read_synonyms()
    released = [
        label_agreement.read_labels(LABELS, model)
        for model in (
            "ViT-B-32/openai",
            "ViT-B-32/datacomp_m_s128m_b4k",
            "ViT-B-16/openai",
            "ViT-B-16/laion2b_s34b_b88k",
        )
    ]

    words = {label_agreement.normalize(word) for labels in released for word in labels.values()}
    assert words <= synonyms.keys()


@real
def test_the_page_shows_what_the_command_prints(capsys):
    label_agreement.main([str(LISTS), str(LABELS), str(POOL)])

    printed = capsys.readouterr().out.strip()
    shown = re.search(r"<!-- what the command prints -->\n(.*?)\n<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert printed == shown[1]


def test_every_disagreement_on_the_page_has_a_verdict_and_they_are_counted():
    differ, verdicts = {}, {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.match(r"\| L\d+\.H\d+ ", line) and cells[-1] in ("no", "no such property"):
            differ[cells[0]] = (cells[1], cells[3])
        elif re.match(r"\| L\d+\.H\d+ ", line) and cells[-1] != "yes":
            verdicts[cells[0]] = (cells[1], cells[2], cells[3])

    counts = Counter(right for _, _, right in verdicts.values())

    assert {head: said[:2] for head, said in verdicts.items()} == differ
    in_order = " | ".join(str(counts[right]) for right in ("ours", "both", "released", "neither"))
    assert f"| all | {in_order} | {len(differ)} |" in PAGE.read_text()


@real
def test_the_texts_of_each_pick_are_all_in_the_pool():
    texts = text_pool.load(POOL)
    lists = textspan_files.read(LISTS).texts

    picks = text_pool.pick_indices(list(lists.values()), texts)

    assert picks.shape == (48, 60)
    assert (picks >= 0).all()
    assert (len(texts.texts), texts.dropped_duplicates) == (3493, 5)
