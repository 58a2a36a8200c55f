"""What the documents say is on disk is on disk, their commands and links exist, and lines are short."""

import re
from pathlib import Path

import pytest

from db import __version__
from headlight.__main__ import COMMANDS
from tests.support.paths import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "precompute").rglob("*.md")]
WRITTEN_BY_CODE = ("api.md", "schema.md", "calibration.md", "agreement.md", "validation.md")
LINE = 100
BLOCK = r"(?ms)^```.*?^```"
CODE_PATH = r"`((?:bench|dashboard|db|docs|headlight|precompute|tests)/[\w./-]*)`"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def tree_paths() -> list[str]:
    tree = text_of(ROOT / "CONTRIBUTING.md").split("<!-- tree -->")[1].split("```")[1]
    return [line.split()[0] for line in tree.strip().splitlines()]


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(BLOCK, "", text_of(page))


def code(page: Path) -> str:
    """The blocks of code of a page."""
    return "\n".join(re.findall(BLOCK, text_of(page)))


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_path_of_the_tree_exists():
    assert len(tree_paths()) >= 8
    assert [path for path in tree_paths() if not (ROOT / path).exists()] == []


def test_every_folder_of_code_is_in_the_tree():
    packages = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")}

    assert packages - set(tree_paths()) == set()


def test_every_make_target_named_exists():
    makefile = text_of(ROOT / "Makefile")
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", prose(page))}
    named |= {name for page in PAGES for name in re.findall(r"^make ([a-z-]+)", code(page), re.MULTILINE)}

    assert [name for name in named if not re.search(rf"^{name}:.*## ", makefile, re.MULTILINE)] == []


def test_every_command_named_exists():
    named = {name for page in PAGES for name in re.findall(r"`headlight ([a-z-]+)", prose(page))}
    named |= {name for page in PAGES for name in re.findall(r"(?m)(?:^|/)headlight ([a-z-]+)", code(page))}

    assert len(named) >= 8
    assert named - set(COMMANDS) == set()


def test_every_link_leads_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)\s]+)\)", prose(page))]

    assert [link for page, link in links if "://" not in link and not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def test_every_path_of_code_that_is_named_exists():
    named = {path for page in PAGES for path in re.findall(CODE_PATH, text_of(page))}

    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_file_with_slow_tests_is_explained():
    slow = [file for file in (ROOT / "tests").rglob("test_*.py") if "pytest.mark.slow" in text_of(file)]
    explained = text_of(ROOT / "CONTRIBUTING.md")
    names = [file.relative_to(ROOT).as_posix() for file in slow if file != Path(__file__)]

    assert [name for name in names if f"`{name}`" not in explained] == []


def test_no_line_of_prose_is_too_long():
    """Diffs of paragraphs that are one line cannot be read. Tables, code and formulas stay as they are."""
    lines = [line for page in PAGES if not written_by_code(page) for line in prose(page).splitlines()]

    assert [line for line in lines if len(line) > LINE and not re.match(r"\||    |<!--", line)] == []


def written_by_code(page: Path) -> bool:
    return page.name in WRITTEN_BY_CODE or page.name.startswith("ViT-")


def test_the_readme_is_a_door_and_not_a_house():
    """Without the table of pages, which has one line for each."""
    lines = [line for line in text_of(ROOT / "README.md").splitlines() if not line.startswith("|")]

    assert len(lines) <= 140


def test_the_citation_names_this_version_and_where_the_method_comes_from():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with huggingface_hub")
    citation = yaml.safe_load(text_of(ROOT / "CITATION.cff"))
    sources = {source["url"] for source in citation["references"] if "url" in source}

    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert {f"https://arxiv.org/abs/{number}" for number in ("2310.05916", "2409.06579")} <= sources


def test_workflows_and_issue_forms_are_sound_yaml():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with huggingface_hub")
    files = sorted((ROOT / ".github").rglob("*.yml"))

    assert len(files) >= 5
    assert all(isinstance(yaml.safe_load(text_of(file)), dict) for file in files)


def test_every_requirement_says_what_it_is_for_and_is_pinned():
    for file in sorted(ROOT.glob("requirements*.txt")):
        for line in text_of(file).splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.match(
                    r"[A-Za-z0-9_-]+==[\d.]+( --hash=sha256:[0-9a-f]{64})? +# .+|pytest==", line
                ), f"{file.name}: {line}"
