"""Runs on a Ray cluster: what a task needs, what goes wrong, and, slowly, two nodes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from db.connection import open_bundle
from db.diff import diff
from precompute.__main__ import main
from precompute.inputs.images import ImagesError
from precompute.pipeline import ray_cluster, setup
from precompute.runtime import devices
from precompute.runtime.config import ConfigError, ModelChoice
from precompute.runtime.part import Part, PartError
from precompute.runtime.work_files import WorkError
from tests.conftest import CONTROL, small_config
from tests.support.commands import command
from tests.support.paths import ROOT


def test_without_ray_it_says_how_to_install_it(scene_folder, pool_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)

    code = main(command(scene_folder, pool_file, tmp_path / "b", "run", "--engine", "ray"))

    assert code == 1
    assert 'pip install "headlight-clip[ray]"' in capsys.readouterr().err


def test_options_of_ray_alone_are_refused_without_it(scene_folder, pool_file, tmp_path, capsys):
    code = main(command(scene_folder, pool_file, tmp_path / "b", "run", "--parts", "3"))

    assert code == 1
    assert "--parts 3 is for --engine ray" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["local", "ray://head:10001x", "head", "head:99999"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        ray_cluster._check_answers(address)


def test_an_address_where_nobody_listens_is_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
        ray_cluster._check_answers(f"127.0.0.1:{port}")


def test_a_node_that_does_not_see_the_work_directory_says_so(scene_folder, pool_file, tmp_path):
    config = small_config(scene_folder, pool_file, tmp_path / "b")

    with pytest.raises(WorkError, match=r"part 2/3 on node .*\.b\.work"):
        ray_cluster.run_task(setup.scan, Part(2, 3), config, tmp_path / ".b.work" / "mark")
    assert not (tmp_path / ".b.work").exists()


def test_a_node_that_does_not_see_the_images_says_so(pool_file, tmp_path):
    config = small_config(tmp_path / "nowhere", pool_file, tmp_path / "b", metadata=None)
    (tmp_path / "mark").touch()

    with pytest.raises(ImagesError, match="part 2/3 on node .*nowhere"):
        ray_cluster.run_task(setup.scan, Part(2, 3), config, tmp_path / "mark")


def test_a_node_that_sees_other_images_says_so(scene_folder, pool_file, tmp_path):
    (tmp_path / "mark").touch()

    with pytest.raises(PartError, match="other images"):
        config = small_config(scene_folder, pool_file, tmp_path / "b")
        ray_cluster.run_task(ray_cluster._decompose_part, Part(2, 3), config, tmp_path / "mark")


def test_a_task_takes_a_gpu_where_the_device_is_one(scene_folder, pool_file, tmp_path):
    nodes = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 4.0}]
    plain, cuda = (
        ray_cluster.needs(
            small_config(scene_folder, pool_file, tmp_path / "b", workers=2, device=device), nodes
        )
        for device in ("cpu", "cuda")
    )

    assert (plain, ray_cluster.places(plain, nodes)) == ((3, 0), 2 + 1)
    assert (cuda, ray_cluster.places(cuda, nodes)) == ((3, 1), 2)


def test_a_task_takes_no_more_cpus_than_a_node_has(scene_folder, pool_file, tmp_path):
    config = small_config(scene_folder, pool_file, tmp_path / "b", workers=2)

    assert ray_cluster.needs(config, [{"CPU": 2.0}]) == (2, 0)
    assert ray_cluster.needs(config, [{"memory": 1.0}]) == (1, 0)


def test_cpus_are_counted_on_nodes_that_have_what_a_task_needs(scene_folder, pool_file, tmp_path):
    nodes = [{"CPU": 64.0}, {"CPU": 8.0, "GPU": 1.0}]
    config = small_config(scene_folder, pool_file, tmp_path / "b", workers=12, device="cuda")

    found = ray_cluster.needs(config, nodes)

    assert (found, ray_cluster.places(found, nodes)) == ((8, 1), 1)
    assert ray_cluster.on_nodes("auto", nodes) == ray_cluster.on_nodes("cuda:3", nodes) == "cuda"
    assert ray_cluster.on_nodes("auto", nodes[:1]) == "cpu"


def test_below_float32_the_machine_that_joins_must_multiply_as_the_nodes_do(
    scene_folder, pool_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(devices, "resolve_device", lambda device, _: "cpu")
    exact = small_config(scene_folder, pool_file, tmp_path / "b", device="auto")
    low = small_config(scene_folder, pool_file, tmp_path / "b", device="auto", precision="bf16")

    ray_cluster._check_kind(exact, exact, "cuda")
    ray_cluster._check_kind(low, low, "cpu")
    with pytest.raises(ConfigError, match="bf16 .* cpu .* cuda"):
        ray_cluster._check_kind(low, low, "cuda")


def test_paths_mean_the_same_on_every_node(scene_folder, pool_file):
    models = (ModelChoice("ViT-B-32/mine", checkpoint=Path("mine.pt")),)
    config = small_config(Path("photos"), pool_file, Path("out/b"), models=models, metadata=None)

    found = ray_cluster.absolute(config)

    here = Path.cwd()
    assert (found.images, found.bundle) == (here / "photos", here / "out" / "b")
    assert found.models[0].checkpoint == here / "mine.pt" and found.metadata is None
    assert found.result_options() == config.result_options()


@pytest.fixture
def two_nodes(monkeypatch):
    """The address of a cluster of two nodes with one CPU each, both on this machine."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    pytest.importorskip("ray", reason="Ray is not installed (make test-all installs it)")
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20, include_dashboard=False)
        yield cluster.address
    finally:
        cluster.shutdown()


@pytest.mark.very_slow
@pytest.mark.slow
def test_two_ray_nodes_give_the_bundle_of_one_machine(
    two_nodes, small_bundle, scene_folder, pool_file, tmp_path
):
    out = tmp_path / "b"
    asked = ["run", "--engine", "ray", "--ray-address", two_nodes, "--parts", "3"]

    arguments = command(scene_folder, pool_file, out, *asked)
    done = subprocess.run(
        [sys.executable, "-m", "precompute", *arguments], capture_output=True, text=True, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    assert "3 parts on 2 Ray nodes, 2 at a time" in done.stderr
    assert diff(open_bundle(small_bundle), open_bundle(out)) == []


_DIES_ONCE = """
import os, sys
from pathlib import Path
import ray
from precompute.pipeline import ray_cluster
from precompute.pipeline.options import EngineOptions
from tests.conftest import small_config

def dies_once(stage, part, config, mark):
    once = mark.parent.parent / f"died-{stage.__name__}-{part.number}"
    if part.number == 2 and not once.exists():
        once.touch()
        os._exit(9)
    ray_cluster.run_task(stage, part, config, mark)

if __name__ == "__main__":
    folder, pool, bundle, address = sys.argv[1:]
    ray_cluster.run_task = dies_once
    config = small_config(Path(folder), Path(pool), Path(bundle), shard_size=8, workers=1)
    ray_cluster.run_on(EngineOptions("ray", address, 2), config)
"""


@pytest.mark.very_slow
@pytest.mark.slow
def test_a_task_that_dies_is_restarted(two_nodes, small_bundle, scene_folder, pool_file, tmp_path):
    out = tmp_path / "b"
    words = [str(scene_folder), str(pool_file), str(out), two_nodes]

    done = subprocess.run(
        [sys.executable, "-c", _DIES_ONCE, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.glob("died-*")) == ["died-_decompose_part-2", "died-scan-2"]
    assert diff(open_bundle(small_bundle), open_bundle(out)) == []


@pytest.mark.very_slow
@pytest.mark.slow
def test_an_error_of_a_task_names_its_node(two_nodes, pool_file, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"no")
    arguments = ["run", "--images", str(tmp_path / "bad"), "--texts", str(pool_file), "--model", CONTROL]
    arguments += ["--bundle", str(tmp_path / "b"), "--engine", "ray", "--ray-address", two_nodes]

    done = subprocess.run(
        [sys.executable, "-m", "precompute", *arguments], capture_output=True, text=True, cwd=ROOT
    )

    assert done.returncode == 1
    assert "error: part " in done.stderr and "none of the 1 image files" in done.stderr
    assert "Traceback" not in done.stderr
