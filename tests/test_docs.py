"""What the README says is on disk is on disk, and its commands exist."""

import re

import pytest

from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_path_of_the_tree_exists():
    tree = README.split("<!-- tree -->")[1].split("```")[1]
    paths = [line.split()[0] for line in tree.strip().splitlines()]

    assert len(paths) >= 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_folder_of_code_is_in_the_tree():
    tree = README.split("<!-- tree -->")[1].split("```")[1]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert [package for package in packages if f"{package}/" not in tree] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README))))
def test_every_make_target_named_exists(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)


def test_every_link_to_a_file_leads_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    ]

    broken = [link for page, link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_every_requirement_says_what_it_is_for_and_is_pinned():
    for file in sorted(ROOT.glob("requirements*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.match(r"[A-Za-z0-9_-]+==[\d.]+ +# .+|pytest==", line), f"{file.name}: {line}"
