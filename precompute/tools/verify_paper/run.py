"""Checks this program against figures and files of papers: `python -m precompute verify-paper`.

Runs the steps in order, prints their lines and writes the report. All input files are read and checked before
the first image.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import isfinite
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.clip import TextError
from precompute.inputs import images
from precompute.method import decomposition, moments
from precompute.runtime import devices, progress
from precompute.runtime.config import ConfigError
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.run_row import package_versions
from precompute.tools.verify_paper import checks, classes
from precompute.tools.verify_paper.accuracy_checks import ablation, segmented
from precompute.tools.verify_paper.checks import Check, Step, check, skipped
from precompute.tools.verify_paper.image_pass import PassResult, pass_over_images
from precompute.tools.verify_paper.options import MIN_IMAGES, VerifyTask
from precompute.tools.verify_paper.references import ReferenceFiles, of_layers, read
from precompute.tools.verify_paper.text_checks import as_in_double, describe_heads, labels, overlaps
from precompute.validation import segmentation_scores

ClassTexts = Callable[[], Float[Tensor, "class d_out"]]
"""Returns text embeddings of the classes, computed at the first call."""

LAYERS = 4
"""Number of last layers whose heads are described, as in the papers."""

FORMAT = 1
"""Version of the JSON report."""

_NO_FOLDERS = (
    "the images lie in no folders named by a class (WordNet ids, ImageNet names, or those of CLASSES)"
)


class _Subject(NamedTuple):
    """The model and the images under test."""

    model: clip.Clip
    plan: decomposition.Plan
    distinct: Mapping[str, images.ImageFile]
    text: Float[Tensor, "text d_out"] | None
    """Text embeddings of the pool."""


def run(task: VerifyTask) -> bool:
    """Runs and prints every check that the input allows; returns True if none fails.

    Raises:
        ConfigError, ModelError, TextError, ImagesError, PoolError, ResultsError
    """
    device = devices.resolve_device(task.device)
    spec = clip.resolve(task.model)
    # Whether a file holds the weights of its tag is what the references are compared for.
    files = read(task, spec.given_as or spec.name)
    progress.say(f"loading {spec.name}")
    model = clip.load(spec, device=device)
    layers = clip.last_layers(model, min(LAYERS, model.layers))
    files = of_layers(files, layers, spec.name)
    # Before the images (hours), since the model may not know the words of the pool.
    text = clip.encode_text(model, files.pool.texts) if files.pool else None
    distinct = _choose_images(task)
    print(f"{spec.name}, {len(distinct)} images", flush=True)
    weights = clip.vision_weights(model)
    spaces = decomposition.head_spaces(weights, layers)
    subject = _Subject(model, decomposition.plan(weights, spaces), distinct, text)
    steps = []
    for step in _steps(task, files, subject):
        print(checks.lines(step), flush=True)
        steps.append(step)
        if task.json:  # after every step, so that hours of work are not lost if a later step stops
            report = json.dumps(_report(task, subject, steps), indent=1, allow_nan=False)
            task.json.write_text(report + "\n", encoding="utf-8")
    print(checks.summary(steps), flush=True)
    return not checks.failed(steps)


def _steps(task: VerifyTask, files: ReferenceFiles, subject: _Subject) -> Iterator[Step]:
    """Yields the results of all steps in order."""
    started = time.perf_counter()
    result = pass_over_images(
        subject.model, subject.plan, subject.distinct, batch_size=task.batch_size, workers=task.workers
    )
    seconds = time.perf_counter() - started
    yield Step("sum of contributions", identity(result), seconds, f"{len(subject.distinct)} images")
    yield _timed("float64", lambda: _in_double(files, subject))
    yield _timed("texts and labels of others", lambda: _compare_texts(files, subject, result))
    # 80,000 prompts: once for both steps, and only if needed.
    text_of_classes = cache(lambda: _class_texts(files, subject))
    yield _timed("mean-ablation", lambda: _ablate(files, subject, result, text_of_classes))
    yield _timed("ImageNet-Segmentation", lambda: _segment(task, files, subject, text_of_classes))


def identity(result: PassResult) -> list[Check]:
    """Checks that contributions sum to the embedding, and that the embedding equals open_clip's."""
    most, note = checks.LARGEST_ERROR, "largest error"
    return [
        check("contributions sum to the embedding", result.sum_error, most=most, note=note),
        check("our forward pass is open_clip's", result.forward_error, most=most, note=note),
    ]


def _in_double(files: ReferenceFiles, subject: _Subject) -> list[Check]:
    if files.pool is None or subject.text is None:
        return [skipped("contributions and texts as in float64", "no POOL given")]
    return as_in_double(subject.model, subject.plan, subject.distinct, files.pool, subject.text)


def _compare_texts(files: ReferenceFiles, subject: _Subject, result: PassResult) -> list[Check]:
    no_texts = skipped("overlap with the texts of others", "no TEXTSPAN given")
    no_labels = skipped("our labels agree with released ones", "no LABELS given")
    if files.pool is None or subject.text is None or not (files.theirs or files.released):
        return [no_texts, no_labels]
    spaces = subject.plan.spaces
    halves = [moments.pooled(result.halves, half).covariance for half in torch.eye(2, dtype=torch.bool)]
    head_texts = describe_heads(moments.pooled(result.halves).covariance, spaces, files.pool, subject.text)
    text_checks = overlaps(head_texts, halves, files.theirs) if files.theirs else [no_texts]
    if not files.released:
        return [*text_checks, no_labels]
    return [*text_checks, *labels(head_texts, files.released, files.theirs, files.synonyms)]


def _ablate(files: ReferenceFiles, subject: _Subject, result: PassResult, text: ClassTexts) -> list[Check]:
    image_class = classes.of_images(subject.distinct, result.image_id, files.classes)
    with_class = image_class[image_class != classes.NONE]
    if len(with_class.unique()) < 2:
        return [skipped("accuracy before and after mean-ablation", _NO_FOLDERS)]
    if without := len(image_class) - len(with_class):
        progress.say(f"{without} of {len(image_class)} images lie in folders that are no class; left out.")
    return ablation(result, image_class, text(), files.figures)


def _segment(task: VerifyTask, files: ReferenceFiles, subject: _Subject, text: ClassTexts) -> list[Check]:
    if task.segmentation is None:
        return [skipped("pixel accuracy, mean IoU, mean AP", "no SEGMENTATION given")]
    return segmented(subject.model, task.segmentation, text(), task.limit, files.figures)


def _class_texts(files: ReferenceFiles, subject: _Subject) -> Float[Tensor, "class d_out"]:
    try:
        return segmentation_scores.mean_texts(subject.model, files.classes.prompts)
    except TextError as error:
        raise TextError(f"{error} Give classes that it can read: --classes FILE.") from error


def _timed(name: str, make: Callable[[], list[Check]]) -> Step:
    started = time.perf_counter()
    return Step(name, make(), time.perf_counter() - started)


def _choose_images(task: VerifyTask) -> dict[str, images.ImageFile]:
    """Returns the distinct images among `limit` files, spread evenly over names and thus over folders."""
    files = images.gather(task.images).files
    files = images.evenly(files, task.limit or len(files))
    results = images.scan(files, workers=task.workers, thumbnails=False)
    tracked = progress.track(results, "reading images", total=len(files), unit="image")
    distinct = dict(sorted(images.distinct(files, tracked).items()))
    if len(distinct) < MIN_IMAGES:
        raise ConfigError(
            f"{task.images} has {len(distinct)} different readable images; give {MIN_IMAGES} or more."
        )
    return distinct


def _report(task: VerifyTask, subject: _Subject, steps: list[Step]) -> dict[str, object]:
    """Returns the report; it contains names of files, but no paths, since people send it to others."""
    spec = subject.model.spec
    facts = {
        name: getattr(spec, name) for name in ("activation", "mean", "std", "interpolation", "resize_mode")
    }
    names = ("segmentation", "textspan", "labels", "pool", "classes", "synonyms", "figures")
    file_names = {name: path.name for name in names if (path := getattr(task, name))}
    step_reports = [
        {"name": step.name, "seconds": round(step.seconds, 1), "checks": [*map(_as_json, step.checks)]}
        for step in steps
    ]
    return {
        "format": FORMAT,
        "method": dict(METHOD_VERSIONS),
        "model": {"name": spec.name, "weights_sha256": subject.model.weights_sha256, **facts},
        "images": len(subject.distinct),
        "limit": task.limit,
        "given": file_names,
        "device": _device(subject.model.device),
        "versions": package_versions(["torch", "open_clip_torch"]) | {"python": platform.python_version()},
        "failed": checks.failed(steps),
        "steps": step_reports,
    }


def _as_json(result: Check) -> dict[str, object]:
    """Returns the fields of a check; infinity and NaN become strings, since JSON lacks them."""
    ours = result.ours if result.ours is None or isfinite(result.ours) else str(result.ours)
    return {"status": result.status, **result._asdict(), "ours": ours}


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device} {platform.machine()}"
