"""A run on a Ray cluster: parts as tasks, first to read the images, then to decompose them.

Ray places the tasks and restarts those whose process or machine died; they continue from their work files.
This process makes the bundle. Only this module imports Ray, and only for `--engine ray`.
"""

import logging
import os
import platform
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from precompute.pipeline import parts as run_parts
from precompute.pipeline import run, setup
from precompute.pipeline.options import EngineOptions
from precompute.runtime import devices, progress, work_files
from precompute.runtime.config import Config, ConfigError
from precompute.runtime.part import NotYet, Part, PartError
from precompute.stages import scan_images

_RETRIES = 3
"""Restarts of a task that died; one that raised an error is not restarted."""

_SECONDS_TO_ANSWER = 5.0

Stage = Callable[[Config, Path, Part], object]
"""Work of a task: a function of config, work directory and part."""


class Needs(NamedTuple):
    """Resources of one task."""

    num_cpus: int
    num_gpus: int


def run_on(engine: EngineOptions, config: Config) -> Path:
    """Decomposes the images on the cluster and makes the bundle here; returns its path.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
        PartError: a task died too often. What tasks raise is raised here, with the node it came from.
    """
    config = absolute(config)
    with _connected(engine.ray_address) as ray:
        # This machine may have no such device.
        local = config if devices.is_there(config.device) else replace(config, device="auto")
        _check_kind(config, local, on_nodes(config.device, _nodes(ray)))
        with setup.exclusive_run(local) as (local, directory):
            image_set = _distribute(ray, config, engine.parts, directory)
            return run.build_bundle(local, image_set, directory)


def absolute(config: Config) -> Config:
    """Returns the options with absolute paths, which are valid in every working directory."""
    return replace(_absolute(config), models=tuple(_absolute(choice) for choice in config.models))


def run_task(stage: Stage, part: Part, config: Config, mark: Path) -> None:
    """Runs one task: a stage of a part. Errors name the node."""
    try:
        if not mark.exists():
            raise work_files.WorkError(
                f"cannot see the work directory {mark.parent}. Give a --bundle on storage that all nodes see "
                "under the same path."
            )
        stage(config, mark.parent, part)
    except Exception as error:
        error.args = (f"part {part} on node {platform.node()}: {error}",)
        raise


def _nodes(ray: ModuleType) -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _check_kind(config: Config, local: Config, kind: str) -> None:
    """Raises ConfigError if the precision gives other numbers on this machine than on the nodes."""
    if config.precision == "float32":
        return
    device = devices.resolve_device(local.device, config.precision)
    if device.split(":")[0] != kind:
        raise ConfigError(
            f"--precision {config.precision} gives other numbers on {device} here than on the nodes' {kind}."
            " Start this on a node with the same kind of device, or give --precision float32."
        )


def on_nodes(device: str, nodes: list[dict[str, float]]) -> str:
    """Returns the device of a task: Ray shows each task one GPU, as its first."""
    if device == "auto":
        return "cuda" if any(node.get("GPU") for node in nodes) else "cpu"
    return device.split(":")[0]


def needs(config: Config, nodes: list[dict[str, float]]) -> Needs:
    """Returns the resources of a task: one CPU for itself and one per worker, at most those of a node."""
    gpus = 1 if config.device.startswith("cuda") else 0
    largest = max((int(node.get("CPU", 0)) for node in nodes if node.get("GPU", 0) >= gpus), default=0)
    return Needs(min(1 + config.workers, max(1, largest)), gpus)


def places(task: Needs, nodes: list[dict[str, float]]) -> int:
    """Returns the number of tasks that the nodes run at once."""
    return sum(
        int(min(node.get("CPU", 0) // task.num_cpus, node.get("GPU", 0) if task.num_gpus else float("inf")))
        for node in nodes
    )


def _distribute(ray: ModuleType, config: Config, parts: int | None, directory: Path) -> scan_images.ImageSet:
    """Runs all parts as tasks, stage by stage; returns the image set once nothing is missing."""
    nodes = _nodes(ray)
    config = replace(config, device=on_nodes(config.device, nodes))
    task_needs = needs(config, nodes)
    at_once = places(task_needs, nodes)
    count = parts or max(1, 2 * at_once)
    progress.say(f"{count} parts on {len(nodes)} Ray nodes, {at_once} at a time")
    if not at_once:
        progress.say(
            f"waiting: no node has {task_needs.num_cpus} CPU and {task_needs.num_gpus} GPU for a part"
        )
    mark = directory / f"{work_files.SEEN}{uuid.uuid4().hex}"
    mark.touch()
    stages = (
        (setup.scan, "parts: reading", task_needs._replace(num_gpus=0)),
        (_decompose_part, "parts: decomposing", task_needs),
    )
    try:
        for stage, what, resources in stages:
            task = ray.remote(**resources._asdict(), max_retries=_RETRIES)(run_task)
            tasks = {
                task.remote(stage, part, config, mark): part
                for part in (Part(number, count) for number in range(1, count + 1))
            }
            _await(ray, tasks, what)
    finally:
        mark.unlink(missing_ok=True)
    return run_parts.collect_parts(config, directory, parts=count)


def _decompose_part(config: Config, directory: Path, part: Part) -> None:
    listing = setup.list_files(config, directory)
    try:
        run_parts.check_read(listing, part.of)
    except NotYet as error:
        # All parts have read their files, so nodes see different files: waiting does not help.
        raise PartError(f"this node sees other images than others in {config.images}. {error}") from error
    run_parts.decompose_part(config, listing, directory, part)


def _await(ray: ModuleType, tasks: dict[Any, Part], what: str) -> None:
    """Returns when all tasks are done. Raises the first error."""
    with progress.bar(what, total=len(tasks), unit="part") as bar:
        while tasks:
            # The timeout lets the bar update its time while no task ends.
            done, _ = ray.wait(list(tasks), timeout=5.0)
            for task in done:
                part = tasks.pop(task)
                try:
                    ray.get(task)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                except ray.exceptions.RayError as error:
                    raise PartError(f"part {part} died {_RETRIES + 1} times; Ray says: {error}") from error
                bar.update()
            bar.refresh()


@contextmanager
def _connected(address: str | None) -> Iterator[ModuleType]:
    """Yields Ray, connected to the cluster. Raises ConfigError."""
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            '--engine ray needs Ray, which is not installed here: pip install "headlight-clip[ray]"'
        ) from error
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        _check_answers(address)
    try:
        ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, SystemExit) as error:
        raise ConfigError(
            f"no Ray cluster answers on this machine ({error}). Start one, `ray start --head` here and `ray "
            "start --address HOST:PORT` on the others, or run this on a machine of the cluster."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises ConfigError unless a server listens there: Ray retries for minutes, then ends the process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"--ray-address {address} is not HOST:PORT of a head node, such as 10.0.0.1:6379.")
    try:
        socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise ConfigError(
            f"no Ray cluster answers at {address}: {error.strerror or error}. `ray status` says where one is."
        ) from error


def _absolute(options: Any) -> Any:
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    paths = {name: value.absolute() for name, value in values.items() if isinstance(value, Path)}
    return replace(options, **paths)
