"""The static contracts live in pyproject.toml; this proves them at run time."""

import re
import subprocess
import sys

import pytest

from tests.support.paths import ROOT


@pytest.mark.parametrize(
    "module",
    [
        "headlight",
        "headlight.__main__",
        "db.queries",
        "db.vectors",
        "db.bundle",
        "dashboard.charts.maps",
        "dashboard.data.cached",
        "dashboard.data.live",
        "headlight.report.write",
    ],
)
def test_the_app_side_never_loads_torch(module):
    code = f"import sys, {module}; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False", f"importing {module} loaded torch"


@pytest.mark.parametrize("package", ["precompute", "db", "dashboard", "headlight"])
def test_every_folder_with_code_is_a_package(package):
    """import-linter silently skips a folder without __init__.py."""
    folders = {file.parent for file in (ROOT / package).rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_only_the_data_of_the_dashboard_caches():
    """What is kept elsewhere escapes the rule by which it is forgotten when a bundle is replaced."""
    files = [file for file in (ROOT / "dashboard").rglob("*.py") if file.parent.name != "data"]

    assert len(files) > 30
    assert [
        file.name for file in files if re.search(r"\bcache_(data|resource)\b|\bkept\(", file.read_text())
    ] == []
