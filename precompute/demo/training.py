"""Training of the demo models: contrastive loss over shared captions, Muon and AdamW, warm-up, half a cosine.

Training writes a checkpoint to the work folder every few minutes and the float16 weights to their final place
at the end. The same call resumes from the last checkpoint. Each model uses one thread, so that a processor
trains one model per core and the result does not depend on its load.
"""

import contextlib
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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
from precompute.demo.batches import Batch, Batches
from precompute.demo.cache import cached_scenes, held_out_scenes
from precompute.demo.model import fresh_model
from precompute.demo.models.build import export, normalized
from precompute.demo.scoring import score

WEIGHT = {"color": 0.3, "position": 0.4, "pattern": 1.5, "shape": 2.0}
"""Weight of each property's captions in the loss; 1 for other properties. Color and position are learned
first and shape last; with equal weights most heads become color and position heads."""

FULL = 0.1
"""Weight of the captions of several properties in the loss."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters common to all demo models; `DemoModel` has the others."""

    scenes: int = 72_000
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
    """Share of scenes with few, large objects in the first batch: shapes are learned on them."""

    checkpoint_minutes: float = 4.0

    held_out: int = 500
    """Number of held-out scenes scored at every checkpoint."""


class Trainer:
    """A model, its optimizers and its position in the training."""

    def __init__(self, demo: DemoModel, recipe: Recipe, work: Path, *, compiled: bool):
        self.demo, self.recipe, self.work = demo, recipe, work
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = fresh_model(demo).to(self.device)
        self.optimizers = _optimizers(self.model, recipe)
        self.steps = max(1, demo.pairs // recipe.batch)
        self.step, self.seconds = 0, 0.0
        if compiled:
            # Three times as fast on two cores. Per block: the blocks of a tower share one compilation.
            for block in [*self.model.visual.transformer.resblocks, *self.model.transformer.resblocks]:
                block.compile()

    def train_step(self, batch: Batch) -> float:
        """Updates the weights once; returns the loss."""
        started = time.monotonic()
        share = _schedule(self.step / self.steps, self.recipe.warmup)
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = group["initial_lr"] * share
        # The plain attention kernel: on a CPU the backward pass of the fused one takes most of a step.
        kernel = sdpa_kernel(SDPBackend.MATH) if self.device == "cpu" else contextlib.nullcontext()
        with kernel, torch.autocast(self.device, torch.bfloat16):
            image = self.model.encode_image(normalized(batch.pixels.to(self.device)), normalize=True)
            text = self.model.encode_text(batch.text.to(self.device), normalize=True)
        value = loss(self.model.logit_scale.exp() * image.float() @ text.float().T, batch)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, math.log(100.0))
        self.step += 1
        self.seconds += time.monotonic() - started
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
        return True


def loss(logits: Float[Tensor, "image text"], batch: Batch) -> Float[Tensor, ""]:
    """Returns the symmetric contrastive loss over the captions of each property and of single scenes."""
    total = logits.new_zeros(())
    for captions in batch.property_captions:
        matches = captions.matches.to(logits.device)
        part = logits[:, captions.start : captions.start + matches.shape[1]]
        both = _contrast(part, matches) + _contrast(part.T, matches.T)
        total = total + WEIGHT.get(captions.property, 1.0) * 0.5 * both / len(batch.property_captions)
    by_scene = logits[:, -len(logits) :]
    target = torch.arange(len(by_scene), device=by_scene.device)
    return total + FULL * 0.5 * (F.cross_entropy(by_scene, target) + F.cross_entropy(by_scene.T, target))


def _contrast(logits: Float[Tensor, "row column"], matches: Bool[Tensor, "row column"]) -> Float[Tensor, ""]:
    """Returns the cross entropy with equal targets for all matches; ignores rows without a match."""
    share = matches / matches.sum(1, keepdim=True).clamp(min=1)
    return -(logits.log_softmax(1) * share).sum(1)[matches.any(1)].mean()


def train(
    names: list[str], work: Path, *, recipe: Recipe | None = None, at_once: int = 1, compiled: bool = True
) -> None:
    """Trains models, `at_once` at the same time, with progress and checkpoints; skips completed steps."""
    recipe = recipe or Recipe()
    cached_scenes(work, count=recipe.scenes, seed=recipe.scene_seed, side=IMAGE_SIZE)
    held_out_scenes(work, count=recipe.held_out)
    train_model = partial(train_one, recipe=recipe, work=work, compiled=compiled)
    models = [MODELS[name] for name in names]
    if at_once == 1:
        for model in models:
            train_model(model)
        return
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        list(pool.map(train_model, models))


def train_one(demo: DemoModel, *, recipe: Recipe, work: Path, compiled: bool = True) -> None:
    """Trains one model and writes its weights."""
    torch.set_num_threads(1)
    pixels = cached_scenes(work, count=recipe.scenes, seed=recipe.scene_seed, side=IMAGE_SIZE)
    trainer = Trainer(demo, recipe, work, compiled=compiled)
    batches = Batches(
        pixels,
        scene_seed=recipe.scene_seed,
        seed=demo.seed,
        size=recipe.batch,
        steps=trainer.steps,
        large_first=recipe.large_first,
        color_every=demo.color_every,
    )
    if trainer.resume():
        print(f"{demo.name}: carrying on at step {trainer.step} of {trainer.steps}", flush=True)
    _loop(trainer, batches)
    export(trainer.model, demo.checkpoint)


def _optimizers(model: torch.nn.Module, recipe: Recipe) -> tuple[torch.optim.Optimizer, ...]:
    """Returns Muon (Jordan et al. 2024) for the matrices of the blocks and AdamW for the rest.

    With AdamW alone, at the same number of scenes, background and shape were still at chance.
    """
    named, decay = list(model.named_parameters()), recipe.weight_decay
    vectors = [parameter for _, parameter in named if parameter.ndim < 2]
    matrices = [parameter for name, parameter in named if parameter.ndim > 1 and "resblocks" in name]
    others = [parameter for name, parameter in named if parameter.ndim > 1 and "resblocks" not in name]
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
