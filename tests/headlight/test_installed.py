"""The wheel and the source distribution, built and installed as users do: in environments of their own."""

import os
import shutil
import socket
import subprocess
import sysconfig
import tarfile
import time
import urllib.request
import venv
import zipfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import CONTROL
from tests.dashboard.test_browser import chromium, settle
from tests.support import bundles, pages
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow

PACKAGES = ("dashboard", "db", "headlight", "precompute")

DRAW = """
import dashboard
from pathlib import Path
from streamlit.testing.v1 import AppTest
for page in ("leaderboard", "topic_segmentation"):
    app = AppTest.from_file(str(Path(dashboard.__file__).with_name("app.py")), default_timeout=60)
    if page != "leaderboard":
        app.switch_page(f"views/{page}.py")
    app.run()
    assert not app.exception and not app.error, (app.exception, app.error)
    print(page, "drawn")
"""


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Output of a command that must succeed, given in a folder where nothing of ours lies."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PWD")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    """A folder to be in."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def built(tmp_path_factory, empty) -> dict[str, Path]:
    """The source distribution, and the wheel made from it, by ending."""
    work = tmp_path_factory.mktemp("built")
    source = work / "source"
    source.mkdir()
    for name in (*PACKAGES, "tests", "bench"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "pyproject.toml", ROOT / "README.md", *ROOT.glob("LICENSE*")):
        shutil.copy(path, source)
    venv.create(work / "builder", with_pip=True)
    python = work / "builder" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "build", cwd=empty)
    run(python, "-m", "build", "--outdir", work / "dist", source, cwd=empty)
    return {path.suffix: path for path in (work / "dist").iterdir()}


@pytest.fixture(scope="module")
def base(built, tmp_path_factory, empty) -> Path:
    """An environment with what `pip install headlight-clip` brings, from the package index."""
    folder = tmp_path_factory.mktemp("base")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", built[".whl"], cwd=empty)
    return folder / "bin"


@pytest.fixture(scope="module")
def with_precompute(built, tmp_path_factory, empty) -> Path:
    """An environment with our packages from the source distribution, all others from the one that runs."""
    folder = tmp_path_factory.mktemp("precompute")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", built[".gz"], cwd=empty)
    paths = {"base": str(folder), "platbase": str(folder)}
    # After the installation: pip must not meet what lies there. Its own .pth files are not read.
    (Path(sysconfig.get_path("purelib", vars=paths)) / "others.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )
    return folder / "bin"


def test_both_distributions_hold_all_files_of_the_packages(built):
    tracked = run("git", "-C", ROOT, "ls-files", *PACKAGES, cwd=ROOT).splitlines()
    wheel = set(zipfile.ZipFile(built[".whl"]).namelist())
    with tarfile.open(built[".gz"]) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}

    assert set(tracked) - wheel == set()
    assert set(tracked) - source == set()
    assert {name.split("/")[0] for name in wheel if "dist-info" not in name} == set(PACKAGES)


def test_a_bundle_is_verified_and_drawn_without_torch(base, small_bundle, empty):
    verified = run(base / "headlight", "bundle", "verify", small_bundle, cwd=empty)
    drawn = run(base / "python", "-c", DRAW, cwd=empty, HEADLIGHT_BUNDLE=str(small_bundle))
    asked = "import headlight, sys; b = headlight.open(sys.argv[1]); print(len(b.models()))"
    models = run(base / "python", "-c", asked, small_bundle, cwd=empty)
    found = run(base / "python", "-c", "import importlib.util as i; print(i.find_spec('torch'))", cwd=empty)

    assert "sound" in verified
    assert drawn.splitlines() == ["leaderboard drawn", "topic_segmentation drawn"]
    assert models.strip() == "1"
    assert found.strip() == "None"


def test_every_page_works_without_torch_from_any_folder_but_for_what_needs_the_model(
    base, tiny_bundle, empty
):
    """A text of the pool needs no model; a typed one is refused with what to install."""
    with chromium() as browser, served(base / "headlight", tiny_bundle, empty) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        for name in pages.PAGES:
            page.goto(f"{address}/{name}")
            settle(page, pause=0)
            assert page.get_by_test_id("stException").count() == 0, name
            assert page.get_by_test_id("stAlert").count() == 0, name
        page.goto(f"{address}/text_neighbors?text={quote(next(iter(bundles.TEXTS)))}")
        settle(page)
        assert page.get_by_test_id("stAlert").count() == 0
        page.goto(f"{address}/text_neighbors?text=what%20nobody%20wrote%20before")
        settle(page)
        assert 'pip install "headlight-clip[precompute]"' in page.get_by_test_id("stAlert").inner_text()


def test_a_command_that_needs_more_says_how_to_install_it(base, empty):
    command = [
        base / "headlight",
        "run",
        "--model",
        CONTROL,
        "--images",
        ".",
        "--texts",
        "x",
        "--bundle",
        "b",
    ]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True)

    assert done.returncode == 1
    assert 'pip install "headlight-clip[precompute]"' in done.stderr


def test_images_become_a_bundle(with_precompute, scene_folder, pool_file, empty, tmp_path):
    bundle = tmp_path / "bundle"
    options = ["--model", CONTROL, "--images", scene_folder, "--limit", "24", "--texts", pool_file]
    fast = ["--layers", "1", "--rotations", "19", "--replicates", "4", "--gallery-images", "2"]
    run(with_precompute / "headlight", "run", *options, *fast, "--bundle", bundle, cwd=empty)
    verified = run(with_precompute / "headlight", "bundle", "verify", bundle, cwd=empty)
    where = run(with_precompute / "python", "-c", "import headlight; print(headlight.__file__)", cwd=empty)

    assert "sound" in verified
    assert Path(where.strip()).is_relative_to(with_precompute.parent)


@contextmanager
def served(command: Path, bundle: Path, cwd: Path):
    """Address of `headlight view` over a bundle, once it answers."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    options = ["--port", str(port)]
    server = subprocess.Popen([command, "view", bundle, *options], cwd=cwd, env=inherited)
    address = f"http://localhost:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)
