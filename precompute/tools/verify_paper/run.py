"""`python -m precompute verify-paper`: check this program against what papers and their authors released.

Orders the steps, prints their lines, writes them down. What is given is read and checked before the first
image is opened.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
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
from precompute.tools.verify_paper import checks, classes
from precompute.tools.verify_paper.accuracy_checks import ablation, segmented
from precompute.tools.verify_paper.checks import (
    Check,
    Step,
    check,
    skipped,
)
from precompute.tools.verify_paper.image_pass import PassResult, pass_over_images
from precompute.tools.verify_paper.options import MIN_IMAGES, VerifyTask
from precompute.tools.verify_paper.references import ReferenceFiles, of_layers, read
from precompute.tools.verify_paper.text_checks import (
    as_in_double,
    describe_heads,
    labels,
    overlaps,
)
from precompute.validation import segmentation_scores

LAYERS = 4
"""The last ones are described, as in the papers."""

FORMAT = 1
"""Of the JSON."""

_NO_FOLDERS = (
    "the images lie in no folders named by a class (WordNet ids, ImageNet names, or those of CLASSES)"
)


class _Subject(NamedTuple):
    """A model over the images."""

    model: clip.Clip
    plan: decomposition.Plan
    distinct: Mapping[str, images.ImageFile]
    text: Float[Tensor, "text d_out"] | None
    """Of the pool."""


def run(task: VerifyTask) -> bool:
    """Make every check there is something for, and print it; whether none failed.

    Raises:
        ConfigError, ModelError, TextError, ImagesError, PoolError, ResultsError: with what to do about it.
    """
    device = devices.resolve_device(task.device)
    spec = clip.resolve(task.model)
    files = read(task, spec.name)
    progress.say(f"loading {spec.name}")
    model = clip.load(spec, device=device)
    layers = clip.last_layers(model, min(LAYERS, model.layers))
    files = of_layers(files, layers, spec.name)
    # Before hours of images: the model may not know the words of the pool.
    text = clip.encode_text(model, files.pool.texts) if files.pool else None
    distinct = _choose(task)
    print(f"{spec.name}, {len(distinct)} images", flush=True)
    weights = clip.vision_weights(model)
    spaces = decomposition.head_spaces(weights, layers)
    subject = _Subject(model, decomposition.plan(weights, spaces), distinct, text)
    steps = []
    for step in _steps(task, files, subject):
        print(checks.lines(step), flush=True)
        steps.append(step)
        if task.json:  # after every step: what took hours is not lost if a later one stops
            report = json.dumps(_report(task, subject, steps), indent=1, allow_nan=False)
            task.json.write_text(report + "\n", encoding="utf-8")
    print(checks.summary(steps), flush=True)
    return not checks.failed(steps)


def _steps(task: VerifyTask, files: ReferenceFiles, subject: _Subject) -> Iterator[Step]:
    """All steps, one after the other."""
    started = time.perf_counter()
    result = pass_over_images(
        subject.model, subject.plan, subject.distinct, batch_size=task.batch_size, workers=task.workers
    )
    seconds = time.perf_counter() - started
    yield Step("sum of contributions", identity(result), seconds, f"{len(subject.distinct)} images")
    yield _timed("float64", lambda: _in_double(files, subject))
    yield _timed("texts and labels of others", lambda: _beside_others(files, subject, result))
    text: list[Float[Tensor, "class d_out"]] = []  # 80,000 prompts: once for both steps, and only if needed
    yield _timed("mean-ablation", lambda: _ablated(files, subject, result, text))
    yield _timed("ImageNet-Segmentation", lambda: _segmented(task, files, subject, text))


def identity(result: PassResult) -> list[Check]:
    """Whether contributions sum to the embedding, and the embedding is open_clip's."""
    most, note = checks.LARGEST_ERROR, "largest error"
    return [
        check("contributions sum to the embedding", result.sum_error, most=most, note=note),
        check("our forward pass is open_clip's", result.forward_error, most=most, note=note),
    ]


def _in_double(files: ReferenceFiles, subject: _Subject) -> list[Check]:
    if files.pool is None or subject.text is None:
        return [skipped("contributions and texts as in float64", "no POOL given")]
    return as_in_double(subject.model, subject.plan, subject.distinct, files.pool, subject.text)


def _beside_others(files: ReferenceFiles, subject: _Subject, result: PassResult) -> list[Check]:
    overlap, agree = "overlap with the texts of others", "our labels agree with released ones"
    if files.pool is None or subject.text is None or not (files.theirs or files.released):
        return [skipped(overlap, "no TEXTSPAN given"), skipped(agree, "no LABELS given")]
    spaces = subject.plan.spaces
    halves = [
        moments.pooled(result.halves, torch.tensor([half == 0, half == 1])).covariance for half in range(2)
    ]
    head_texts = describe_heads(moments.pooled(result.halves).covariance, spaces, files.pool, subject.text)
    found = [skipped(overlap, "no TEXTSPAN given")]
    if files.theirs:
        found = overlaps(head_texts, halves, spaces, files.theirs)
    if not files.released:
        return [*found, skipped(agree, "no LABELS given")]
    return [*found, *labels(head_texts, files.released, files.theirs, files.synonyms)]


def _ablated(files: ReferenceFiles, subject: _Subject, result: PassResult, text: list[Tensor]) -> list[Check]:
    own = classes.of_images(subject.distinct, result.image_id, files.classes)
    if len(own[own != classes.NONE].unique()) < 2:
        return [skipped("accuracy before and after mean-ablation", _NO_FOLDERS)]
    known = int((own != classes.NONE).sum())
    if known < len(own):
        progress.say(f"{len(own) - known} of {len(own)} images lie in folders that are no class; left out.")
    return ablation(result, own, _class_texts(files, subject, text), files.figures)


def _segmented(task: VerifyTask, files: ReferenceFiles, subject: _Subject, text: list[Tensor]) -> list[Check]:
    if task.segmentation is None:
        return [skipped("pixel accuracy, mean IoU, mean AP", "no SEGMENTATION given")]
    return segmented(
        subject.model, task.segmentation, _class_texts(files, subject, text), task.limit, files.figures
    )


def _class_texts(
    files: ReferenceFiles, subject: _Subject, kept: list[Tensor]
) -> Float[Tensor, "class d_out"]:
    if not kept:
        try:
            kept.append(segmentation_scores.mean_texts(subject.model, files.classes.prompts))
        except TextError as error:
            raise TextError(f"{error} Give classes in words that it knows: --classes FILE.") from error
    return kept[0]


def _timed(name: str, make: Callable[[], list[Check]]) -> Step:
    started = time.perf_counter()
    return Step(name, make(), time.perf_counter() - started)


def _choose(task: VerifyTask) -> dict[str, images.ImageFile]:
    """Distinct images among `limit` files, spread evenly over the names, and so over folders."""
    listed = images.gather(task.images).files
    chosen = images.evenly(listed, task.limit or len(listed))
    results = images.scan(chosen, workers=task.workers, thumbnails=False)
    tracked = progress.track(results, "reading images", total=len(chosen), unit="image")
    distinct = dict(sorted(images.distinct(chosen, tracked).items()))
    if len(distinct) < MIN_IMAGES:
        raise ConfigError(
            f"{task.images} has {len(distinct)} different readable images; give {MIN_IMAGES} or more."
        )
    return distinct


def _report(task: VerifyTask, subject: _Subject, steps: list[Step]) -> dict[str, object]:
    """What is sent on: no path but the names of files."""
    spec = subject.model.spec
    facts = {
        name: getattr(spec, name) for name in ("activation", "mean", "std", "interpolation", "resize_mode")
    }
    names = ("segmentation", "textspan", "labels", "pool", "classes", "synonyms", "figures")
    given = {name: path.name for name in names if (path := getattr(task, name))}
    return {
        "format": FORMAT,
        "method": dict(METHOD_VERSIONS),
        "model": {"name": spec.name, "weights_sha256": subject.model.weights_sha256, **facts},
        "images": len(subject.distinct),
        "limit": task.limit,
        "given": given,
        "device": _device(subject.model.device),
        "versions": {name: version(name) for name in ("torch", "open_clip_torch")}
        | {"python": platform.python_version()},
        "failed": checks.failed(steps),
        "steps": [
            {
                "name": step.name,
                "seconds": round(step.seconds, 1),
                "checks": [_plain(one) for one in step.checks],
            }
            for step in steps
        ],
    }


def _plain(one: Check) -> dict[str, object]:
    """JSON knows no infinity: such a figure goes as a word."""
    ours = one.ours if one.ours is None or isfinite(one.ours) else str(one.ours)
    return {"status": one.status, **one._asdict(), "ours": ours}


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device} {platform.machine()}"
