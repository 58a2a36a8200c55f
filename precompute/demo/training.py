"""The training recipe: open_clip's contrastive loss, AdamW, a warm-up and half a cosine.

Resumable: a checkpoint every few minutes in the work folder, and the float16 weights in their final
place at the end. The same call carries on where the last one stopped.
"""

import contextlib
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from jaxtyping import Float
from open_clip.loss import ClipLoss
from open_clip.model import CLIP
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from precompute.demo import IMAGE_SIZE, WEIGHTS_PATH
from precompute.demo.batches import Batch, Batches
from precompute.demo.cache import cached_scenes, held_out_scenes
from precompute.demo.model import export, fresh_model, normalized
from precompute.demo.scoring import score


@dataclass(frozen=True)
class Recipe:
    """What is trained, on how much, and how long."""

    pairs: int = 678_000
    """Scenes shown in all, each with two captions."""

    minutes: float | None = None
    """Stop after this long, with the schedule shortened to fit. None: no limit."""

    scenes: int = 72_000
    """Different scenes drawn for training."""

    batch: int = 192
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.03
    """Share of the training over which the learning rate rises."""

    workers: int = 2
    """Processes on a CPU; they divide each batch and contrast within their own part."""

    seed: int = 1
    """Seed of the training scenes; the held-out ones have their own."""

    checkpoint_minutes: float = 4.0

    held_out: int = 500
    """Held-out scenes scored at every checkpoint."""


class Trainer:
    """Model, optimizer and how far they have come."""

    def __init__(self, recipe: Recipe, work: Path, *, weights: Path, compiled: bool):
        self.recipe, self.work, self.weights = recipe, work, weights
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model: CLIP = fresh_model(recipe.seed).to(self.device)
        decayed = [p for p in self.model.parameters() if p.ndim >= 2]
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        groups = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0
        if compiled:
            # Two cores train three times as fast. Block by block, for a tower's blocks share one compilation.
            for block in [*self.model.visual.transformer.resblocks, *self.model.transformer.resblocks]:
                block.compile()

    @property
    def progress(self) -> float:
        """Share of the training done, 0 to 1."""
        by_pairs = self.step * self.recipe.batch / self.recipe.pairs
        by_time = self.seconds / 60.0 / self.recipe.minutes if self.recipe.minutes else 0.0
        return min(1.0, max(by_pairs, by_time))

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        done, warmup = self.progress, self.recipe.warmup
        if done < warmup:
            return self.recipe.learning_rate * max(done, 1e-3) / warmup
        return self.recipe.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (done - warmup) / (1.0 - warmup)))

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        image = self.model.encode_image(normalized(batch.pixels), normalize=True).float()
        text = self.model.encode_text(torch.cat([batch.full, batch.partial]), normalize=True).float()
        scale = self.model.logit_scale.exp()
        loss = ClipLoss()
        full, partial = text.chunk(2)
        return 0.5 * (loss(image, full, scale) + loss(image, partial, scale))

    def train_step(self, batch: Batch) -> float:
        """One update; returns the loss."""
        started = time.monotonic()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        batch = Batch(*(part.to(self.device) for part in batch))
        # The plain attention kernel: on a CPU the fused one's backward pass takes most of a step.
        kernel = sdpa_kernel(SDPBackend.MATH) if self.device == "cpu" else contextlib.nullcontext()
        with kernel, torch.autocast(self.device, torch.bfloat16):
            loss = self.loss(batch)
        loss.backward()
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, math.log(100.0))
        self.step += 1
        self.seconds += self._agreed(time.monotonic() - started)
        return loss.item()

    def _agreed(self, seconds: float) -> float:
        """The first worker's clock, for all: the workers must stop at the same step."""
        if not dist.is_initialized():
            return seconds
        clock = torch.tensor([seconds], dtype=torch.float64)
        dist.broadcast(clock, src=0)
        return clock.item()

    def _share_gradients(self) -> None:
        """Average the gradients over the worker processes, in one message."""
        if not dist.is_initialized():
            return
        gradients = [p.grad for p in self.model.parameters()]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def save(self) -> None:
        """Write a checkpoint. Weights get their final place at the end: half-trained, they are no demo."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        building = self.work / "checkpoint.building"
        torch.save(state, building)
        os.replace(building, self.work / "checkpoint.pt")

    def resume(self) -> bool:
        """Carry on from the last checkpoint, if there is one."""
        path = self.work / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        return True


def train(recipe: Recipe, work: Path, *, weights: Path = WEIGHTS_PATH, compiled: bool = True) -> None:
    """Train until the recipe is fulfilled, showing progress, checkpointing as it goes."""
    cached_scenes(work, count=recipe.scenes, seed=recipe.seed, side=IMAGE_SIZE)
    held_out_scenes(work, count=recipe.held_out)
    if torch.cuda.is_available() or recipe.workers == 1:
        _work(0, recipe, work, weights, compiled, None)
        return
    meeting = work / f"meeting_{os.getpid()}"
    given = (recipe, work, weights, compiled, meeting)
    torch.multiprocessing.spawn(_work, given, nprocs=recipe.workers)
    meeting.unlink(missing_ok=True)


def _work(rank: int, recipe: Recipe, work: Path, weights: Path, compiled: bool, meeting: Path | None) -> None:
    """One worker: its own batches, the same model. One thread each, meeting once a step:
    on a machine shared with others, two threads meeting at every operation mostly wait.
    """
    workers = recipe.workers if meeting else 1
    if meeting:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=workers)
    pixels = cached_scenes(work, count=recipe.scenes, seed=recipe.seed, side=IMAGE_SIZE)
    batches = Batches(pixels, seed=recipe.seed, size=recipe.batch // workers)
    trainer = Trainer(recipe, work, weights=weights, compiled=compiled)
    if trainer.resume() and rank == 0:
        print(f"carrying on at step {trainer.step}, {trainer.progress:.0%} done", flush=True)
    _loop(trainer, batches, rank, workers)
    if meeting:
        dist.destroy_process_group()


def _loop(trainer: Trainer, batches: Batches, rank: int, workers: int) -> None:
    saved, losses = time.monotonic(), []
    while trainer.progress < 1.0:
        losses.append(trainer.train_step(batches[trainer.step * workers + rank]))
        if trainer.step % 50 == 0:
            if rank == 0:
                _report(trainer, losses)
            losses = []
        if rank == 0 and time.monotonic() - saved > trainer.recipe.checkpoint_minutes * 60:
            _checkpoint(trainer)
            saved = time.monotonic()
    if rank == 0:
        _checkpoint(trainer)
        export(trainer.model, trainer.weights)


def _checkpoint(trainer: Trainer) -> None:
    trainer.save()
    trainer.model.eval()
    scores = score(trainer.model, held_out_scenes(trainer.work, count=trainer.recipe.held_out))
    trainer.model.train()
    print("held out:  " + "  ".join(f"{s.property} {s.accuracy:.3f}" for s in scores), flush=True)


def _report(trainer: Trainer, losses: list[float]) -> None:
    left = trainer.seconds * (1.0 / max(trainer.progress, 1e-9) - 1.0) / 60.0
    speed = trainer.step * trainer.recipe.batch / trainer.seconds
    print(
        f"step {trainer.step}  loss {sum(losses) / len(losses):.3f}  {trainer.progress:.1%} done"
        f"  {speed:.0f} pairs/s  {left:.0f} minutes left",
        flush=True,
    )
