"""`python -m dashboard.report`: the validation tables of a bundle as Markdown."""

import re

import pytest

from dashboard import report
from db.connection import open_bundle
from tests.support import strangers
from tests.support.places import changed_copy


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return tiny_bundle


@pytest.fixture(scope="module")
def without(tiny_bundle, tmp_path_factory):
    """A bundle that was not scored."""
    out = tmp_path_factory.mktemp("without") / "tiny"
    return changed_copy(tiny_bundle, out, "delete from head_validation; delete from validation_score")


def printed(capsys, *arguments) -> tuple[int, str, str]:
    code = report.main([str(one) for one in arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def rows_of(text: str, section: str) -> list[list[str]]:
    """Cells of the table under a heading, the line of dashes left out."""
    part = re.split(r"^### ", text, flags=re.MULTILINE)
    [table] = [one for one in part if one.startswith(section)]
    lines = [line for line in table.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_all_four_studies_are_printed(bundle, capsys):
    code, out, _ = printed(capsys, bundle)

    assert code == 0
    assert re.findall(r"^### (\w+)", out, flags=re.MULTILINE) == ["Labels", "Maps", "Neighbors", "Mean"]
    for section in ("Labels", "Maps", "Neighbors", "Mean"):
        header, *rows = rows_of(out, section)
        assert {len(row) for row in rows} == {len(header)}
        controls = [row for row in rows if row[0] == "tiny/random (control)"]
        assert {row[0] for row in rows} - {"tiny/random (control)"} == {"tiny/known"}
        assert [row[1] for row in controls] == (["all heads"] if section == "Maps" else [])


def test_the_numbers_are_those_of_the_bundle(bundle, capsys):
    _, out, _ = printed(capsys, bundle)

    labels = [dict(zip(*pair, strict=True)) for pair in each(rows_of(out, "Labels"))]
    assert (labels[0]["right"], labels[0]["hits"], labels[0]["heads"]) == ("0.750", "3", "4")
    assert (labels[0]["commonest"], labels[0]["control"]) == ("0.500", "0.412")
    maps = [dict(zip(*pair, strict=True)) for pair in each(rows_of(out, "Maps"))]
    assert maps[0]["map"] == "all heads"
    assert maps[0]["contrast"] == "0.200 (0.150 to 0.250)"
    near = [dict(zip(*pair, strict=True)) for pair in each(rows_of(out, "Neighbors"))]
    assert (near[0]["best head"], near[0]["precision"], near[0]["embedding"]) == (
        "L1.H0 cosine",
        "0.900",
        "0.600",
    )
    left = {row[1]: row[2:] for row in rows_of(out, "Mean-ablation")[1:] if row[0] == "tiny/known"}
    assert left["nothing"] == ["0.900", "0.800"]
    assert left["property color"] == ["0.400", "0.750"]
    assert left["texts k=5"] == ["0.800", "0.750"]
    assert "texts k=1" not in left, "10 texts, and the most there are, are enough"


def each(table: list[list[str]]) -> list[tuple[list[str], list[str]]]:
    return [(table[0], row) for row in table[1:]]


def test_a_file_keeps_what_stands_around_the_marks(bundle, capsys, tmp_path):
    page = tmp_path / "validation.md"
    page.write_text(f"before\n\n{report.START}\nold numbers\n{report.STOP}\n\nafter\n", encoding="utf-8")

    for _ in range(2):  # the second writing changes nothing
        code, out, _ = printed(capsys, bundle, "--write", page)
        assert code == 0
        assert out.strip() in page.read_text(encoding="utf-8")

    with_tables = page.read_text(encoding="utf-8")
    assert with_tables.startswith("before\n\n" + report.START)
    assert with_tables.endswith(report.STOP + "\n\nafter\n")
    assert "old numbers" not in with_tables
    assert with_tables.count("### Labels") == 1


def test_a_file_that_is_not_there_is_made(bundle, capsys, tmp_path):
    printed(capsys, bundle, "--write", tmp_path / "new.md")

    assert "### Mean-ablation" in (tmp_path / "new.md").read_text(encoding="utf-8")


def test_a_file_without_marks_is_left_alone(bundle, capsys, tmp_path):
    page = tmp_path / "other.md"
    page.write_text("my own words\n", encoding="utf-8")

    code, _, error = printed(capsys, bundle, "--write", page)

    assert code == 2
    assert report.START in error
    assert page.read_text(encoding="utf-8") == "my own words\n"


def test_a_bundle_without_validation_says_how_to_get_it(without, capsys):
    code, out, error = printed(capsys, without)

    assert (code, out) == (2, "")
    assert "Build it with --validation" in error


def test_a_study_that_was_not_scored_is_left_out(bundle, monkeypatch):
    """No masks, no maps."""
    scored = report.validation_scores
    monkeypatch.setattr(report, "validation_scores", lambda bundle: scored(bundle).query("study != 'maps'"))
    opened = open_bundle(bundle)

    text = report.markdown(opened)

    opened.close()
    assert "### Maps" not in text
    assert "### Neighbors" in text


def test_the_name_of_a_model_is_no_markdown(bundle, monkeypatch):
    scored = report.validation_scores
    monkeypatch.setattr(
        report,
        "validation_scores",
        lambda bundle: scored(bundle).assign(
            model=lambda rows: rows["model"] + strangers.WORDS + report.STOP
        ),
    )
    opened = open_bundle(bundle)

    text = report.markdown(opened)

    opened.close()
    assert "tiny/known" in text
    assert report.STOP not in text
    escaped = re.sub(r"\\.", "", text)
    assert not [raw for raw in strangers.RAW if raw in escaped]
