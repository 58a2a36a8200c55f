"""Training of the demo models: contrastive loss over shared captions, Muon and AdamW, warm-up, half a cosine.

Training writes a checkpoint to the work folder every few minutes and the float16 weights to their final place
at the end. The same call resumes from the last checkpoint. Each model uses one thread, so that a processor
trains one model per core and the result does not depend on its load.
"""

import contextlib
import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from db.atomic_file import atomic_file
from precompute.demo import IMAGE_SIZE, MODELS, DemoModel
from precompute.demo.models.batches import Batch, Batches, PropertyCaptions
from precompute.demo.models.build import (
    AnyClip,
    blocks,
    encode_short,
    export,
    fresh_model,
    normalized,
    shipped_model,
)
from precompute.demo.models.cache import cached_scenes, held_out_scenes
from precompute.demo.models.scoring import score

WEIGHT = {
    "noun": 2.5, "category": 2.5, "group": 0.5, "color": 0.7, "background": 0.7, "counting": 1.0,
    "position": 0.8,
}  # fmt: skip
"""Weight of each property's captions in the loss. Nouns are learned last."""

SIGMOID_WEIGHT = WEIGHT | {"background": 2.1, "counting": 3.0, "position": 2.4}
"""Three times as large for what a scene looks like: with `WEIGHT`, SigLIP's loss left it at chance."""

FULL = 0.1
"""Weight of the captions of several properties in the loss."""


Contrast = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Loss of logits [image, text], their matches, and the pairs of which nobody knows."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters common to all demo models; `DemoModel` has the others."""

    scenes: int = 100_000
    """Number of distinct training scenes."""

    scene_seed: int = 1
    """Seed of the training scenes; held-out scenes have another."""

    batch: int = 128
    learning_rate: float = 2e-3
    """Learning rate of AdamW: embeddings, projections, biases, norms."""

    muon_learning_rate: float = 0.03
    """Learning rate of Muon: the weight matrices of the blocks."""

    weight_decay: float = 0.05
    warmup: float = 0.05
    """Share of the training with rising learning rates."""

    large_first: float = 0.8
    """Share of scenes with few, large things in the first batch: nouns are learned on them."""

    checkpoint_minutes: float = 4.0

    held_out: int = 500
    """Number of held-out scenes scored at every checkpoint."""

    def fine_tuning(self) -> "Recipe":
        """Returns the recipe for a trained model: it knows nouns, and needs no large things first."""
        return replace(self, large_first=0.0)


class Trainer:
    """A model, its optimizers and its position in the training."""

    def __init__(self, demo: DemoModel, recipe: Recipe, work: Path, *, compiled: bool):
        self.demo, self.recipe, self.work = demo, recipe, work
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = _start(demo).to(self.device)
        self.optimizers = _optimizers(self.model, recipe)
        self.steps = max(1, demo.pairs // recipe.batch)
        self.step, self.seconds, self.core_seconds = 0, 0.0, 0.0
        if compiled:
            # Three times as fast on two cores. Per block: the blocks of a tower share one compilation.
            for block in blocks(self.model):
                block.compile(dynamic=False)

    def train_step(self, batch: Batch) -> float:
        """Updates the weights once; returns the loss."""
        started, core_started = time.monotonic(), time.process_time()
        share = _schedule(self.step / self.steps, self.recipe.warmup)
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = group["initial_lr"] * share
        # The plain attention kernel: on a CPU the backward pass of the fused one takes most of a step.
        kernel = sdpa_kernel(SDPBackend.MATH) if self.device == "cpu" else contextlib.nullcontext()
        with kernel, torch.autocast(self.device, torch.bfloat16):
            image = self.model.encode_image(normalized(batch.pixels.to(self.device)), normalize=True)
            short, long = (
                encode_short(self.model, text.to(self.device)) for text in (batch.short, batch.long)
            )
        scale, bias = self.model.logit_scale.exp(), getattr(self.model, "logit_bias", None)
        bias = 0.0 if bias is None else bias
        short_logits, long_logits = (scale * image.float() @ text.float().T + bias for text in (short, long))
        value = loss(
            short_logits, long_logits, batch.property_captions, _sigmoid if self.demo.sigmoid else _softmax
        )
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, math.log(100.0))
        self.step += 1
        self.seconds += time.monotonic() - started
        self.core_seconds += time.process_time() - core_started
        return value.item()

    @property
    def checkpoint(self) -> Path:
        return self.work / f"{self.demo.checkpoint.stem}.pt"

    def save(self) -> None:
        """Writes a checkpoint to the work folder; the final place is for completely trained weights."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "core_seconds": self.core_seconds,
        }
        with atomic_file(self.checkpoint) as temporary:
            torch.save(state, temporary)

    def resume(self) -> bool:
        """Loads the last checkpoint; returns False if there is none."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, optimizer_state in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(optimizer_state)
        self.step, self.seconds = state["step"], state["seconds"]
        self.core_seconds = state["core_seconds"]
        return True


def loss(
    short: Float[Tensor, "image text"],
    long: Float[Tensor, "image image"],
    property_captions: tuple[PropertyCaptions, ...],
    contrast: Contrast,
) -> Float[Tensor, ""]:
    """Returns the contrastive loss over the captions of each property and of single scenes."""
    weights = SIGMOID_WEIGHT if contrast is _sigmoid else WEIGHT
    total = short.new_zeros(())
    for captions in property_captions:
        matches, unknown = captions.matches.to(short.device), captions.unknown.to(short.device)
        part = short[:, captions.start : captions.start + matches.shape[1]]
        weight = weights[captions.property] / len(property_captions)
        total = total + weight * contrast(part, matches, unknown)
    own = torch.eye(len(long), dtype=torch.bool, device=long.device)
    return total + FULL * contrast(long, own, torch.zeros_like(own))


def _softmax(
    logits: Float[Tensor, "image text"],
    matches: Bool[Tensor, "image text"],
    unknown: Bool[Tensor, "image text"],
) -> Float[Tensor, ""]:
    """Returns CLIP's loss: symmetric cross entropy, equal targets for all matches, no unknown pairs."""
    logits = logits.masked_fill(unknown, -1e4)
    return 0.5 * (_cross_entropy(logits, matches) + _cross_entropy(logits.T, matches.T))


def _sigmoid(
    logits: Float[Tensor, "image text"],
    matches: Bool[Tensor, "image text"],
    unknown: Bool[Tensor, "image text"],
) -> Float[Tensor, ""]:
    """Returns SigLIP's loss, Zhai et al. 2023: each pair is a match or none; summed over texts."""
    sign = matches.float() * 2.0 - 1.0
    return -(F.logsigmoid(sign * logits) * ~unknown).sum() / len(logits)


def _cross_entropy(
    logits: Float[Tensor, "row column"], matches: Bool[Tensor, "row column"]
) -> Float[Tensor, ""]:
    """Returns the cross entropy with equal targets for all matches; ignores rows without a match."""
    share = matches / matches.sum(1, keepdim=True).clamp(min=1)
    return -(logits.log_softmax(1) * share).sum(1)[matches.any(1)].mean()


def train(
    names: list[str], work: Path, *, recipe: Recipe | None = None, at_once: int = 1, compiled: bool = True
) -> None:
    """Trains models, `at_once` at the same time, with progress and checkpoints; skips completed steps."""
    recipe = recipe or Recipe()
    for cue in {MODELS[name].cue for name in names}:
        cached_scenes(work, count=recipe.scenes, seed=recipe.scene_seed, side=IMAGE_SIZE, cue=cue)
    held_out_scenes(work, count=recipe.held_out)
    train_model = partial(train_one, recipe=recipe, work=work, compiled=compiled)
    models = [MODELS[name] for name in names]
    rounds = [model for model in models if not model.start], [model for model in models if model.start]
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        for models_of_round in rounds:  # those that start from the weights of another come after it
            list(pool.map(train_model, models_of_round))


def train_one(demo: DemoModel, *, recipe: Recipe, work: Path, compiled: bool = True) -> None:
    """Trains one model and writes its weights."""
    torch.set_num_threads(1)
    recipe = recipe.fine_tuning() if demo.start else recipe
    pixels = cached_scenes(work, count=recipe.scenes, seed=recipe.scene_seed, side=IMAGE_SIZE, cue=demo.cue)
    trainer = Trainer(demo, recipe, work, compiled=compiled)
    batches = Batches(
        pixels,
        scene_seed=recipe.scene_seed,
        seed=demo.seed,
        size=recipe.batch,
        steps=trainer.steps,
        large_first=recipe.large_first,
        color_every=demo.color_every,
        cue=demo.cue,
    )
    if trainer.resume():
        print(f"{demo.name}: carrying on at step {trainer.step} of {trainer.steps}", flush=True)
    _loop(trainer, batches)
    print(f"{demo.name}: trained in {trainer.core_seconds / 60:.0f} minutes of one core", flush=True)
    export(trainer.model, demo.checkpoint)


def _start(demo: DemoModel) -> AnyClip:
    """Returns the model with random weights, or with those of the model that it is fine-tuned from."""
    return shipped_model(MODELS[demo.start]).train() if demo.start else fresh_model(demo)


def _optimizers(model: torch.nn.Module, recipe: Recipe) -> tuple[torch.optim.Optimizer, ...]:
    """Returns Muon (Jordan et al. 2024) for the matrices of the blocks and AdamW for the rest.

    With AdamW alone, at the same number of scenes, background and shape were still at chance.
    """
    named, decay = list(model.named_parameters()), recipe.weight_decay
    vectors = [parameter for _, parameter in named if parameter.ndim < 2]
    matrices = [parameter for name, parameter in named if parameter.ndim == 2 and "blocks." in name]
    inside = {id(parameter) for parameter in matrices}
    others = [parameter for _, parameter in named if parameter.ndim > 1 and id(parameter) not in inside]
    groups = [{"params": others, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizers: tuple[torch.optim.Optimizer, ...] = (
        torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98)),
        torch.optim.Muon(matrices, lr=recipe.muon_learning_rate, weight_decay=decay, momentum=0.95),
    )
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["initial_lr"] = group["lr"]
    return optimizers


def _schedule(done: float, warmup: float) -> float:
    """Returns the factor on the learning rates: linear warm-up, then half a cosine down to zero."""
    if done < warmup:
        return max(done, 1e-3) / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (done - warmup) / (1.0 - warmup)))


def _loop(trainer: Trainer, batches: Batches) -> None:
    saved, losses = time.monotonic(), []
    while trainer.step < trainer.steps:
        losses.append(trainer.train_step(batches[trainer.step]))
        if trainer.step % 100 == 0:
            _report(trainer, losses)
            losses = []
        if time.monotonic() - saved > trainer.recipe.checkpoint_minutes * 60:
            _checkpoint(trainer)
            saved = time.monotonic()
    _checkpoint(trainer)


def _checkpoint(trainer: Trainer) -> None:
    trainer.save()
    trainer.model.eval()
    scores = score(trainer.model, held_out_scenes(trainer.work, count=trainer.recipe.held_out))
    trainer.model.train()
    shown = "  ".join(f"{s.property} {s.accuracy:.3f}" for s in scores)
    print(f"{trainer.demo.name}: held out  {shown}", flush=True)


def _report(trainer: Trainer, losses: list[float]) -> None:
    left = trainer.seconds * (trainer.steps / trainer.step - 1.0) / 60.0
    speed = trainer.step * trainer.recipe.batch / trainer.seconds
    print(
        f"{trainer.demo.name}: step {trainer.step} of {trainer.steps}  loss {sum(losses) / len(losses):.3f}"
        f"  {speed:.0f} scenes/s  {left:.0f} minutes left",
        flush=True,
    )
