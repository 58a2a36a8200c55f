"""pyproject.toml and the requirements files say one thing, and it covers what the code imports."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import headlight
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"bench", "dashboard", "db", "headlight", "precompute", "tests"}
DISTRIBUTIONS = {"PIL": "pillow", "google": "protobuf", "open_clip": "open_clip_torch"}
"""Where a library is imported by another name than it is installed by."""

FILES = {"app": [], "": ["precompute", "label"], "demo": ["demo"], "ray": ["ray"], "dev": ["dev"]}
"""Which extras a requirements file pins beyond those that it builds on; the first has the dependencies."""

COVERED_BY = {
    "db": [],
    "dashboard": [],
    "headlight": [],
    "precompute": ["precompute", "label", "ray"],
    "bench": ["precompute"],
    "tests": ["precompute", "label", "ray", "dev"],
}
"""The extras that a package may import from, beside the dependencies."""


def ranges(*extras: str) -> dict[str, Requirement]:
    """Declared requirements of the dependencies and some extras, by name."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one for one in found if not one.name.startswith("headlight")}


def pins(name: str) -> dict[str, str]:
    """Pinned versions of one requirements file, without those that it builds on."""
    text = (ROOT / f"requirements{'-' if name else ''}{name}.txt").read_text(encoding="utf-8")
    return {
        canonicalize_name(one): pin for one, pin in re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE)
    }


def third_party(package: str) -> set[str]:
    """Distributions that the code of a package imports, anywhere in it."""
    names: set[str] = set()
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    tops = {name.split(".")[0] for name in names} - OURS - set(sys.stdlib_module_names)
    return {canonicalize_name(DISTRIBUTIONS.get(top, top)) for top in tops}


@pytest.mark.parametrize("file", FILES)
def test_every_pin_lies_in_its_range_and_every_range_has_a_pin(file):
    declared = ranges() if file == "app" else {}
    for extra in FILES[file]:
        own = (Requirement(line) for line in EXTRAS[extra])
        declared |= {canonicalize_name(one.name): one for one in own if not one.name.startswith("headlight")}
    pinned = pins(file)

    assert set(pinned) == set(declared)
    assert [name for name, pin in pinned.items() if pin not in declared[name].specifier] == []


def test_every_range_ends_before_a_version_that_may_break():
    every = ranges(*EXTRAS)

    assert [name for name, one in every.items() if "<" not in str(one.specifier)] == []


@pytest.mark.parametrize("package", COVERED_BY)
def test_what_a_package_imports_is_declared_where_it_is_used(package):
    declared = set(ranges(*COVERED_BY[package]))

    assert third_party(package) - declared == set()


def test_a_file_that_a_package_reads_is_package_data():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = [package for package in COVERED_BY if package not in ("bench", "tests")]
    data: set[Path] = set()
    for package, patterns in config["package-data"].items():
        folders = packages if package == "*" else [package.replace(".", "/")]
        data |= {path for folder in folders for pattern in patterns for path in (ROOT / folder).glob(pattern)}
    paths = [path for package in packages for path in (ROOT / package).rglob("*") if path.is_file()]

    assert [path for path in paths if path.suffix not in (".py", ".pyc") and path not in data] == []


def test_the_version_stands_in_one_place():
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", headlight.__version__)


def test_the_index_has_another_program_under_the_bare_name():
    assert PROJECT["name"] == "headlight-clip"
