"""Replica-steps per second of four ways to train the same cell, side by side in one run.

The cell: sparse parity n=40, k=4; one hidden ReLU layer of 100; batch 32; hinge; SGD 0.1.
All four do the same work: fresh samples at every step, and accuracy on 1,024 held-out
samples at the same log-spaced evaluation points. Compilation is left out of JAX's time;
everything else, set-up included, is in SynthBench's.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/replica_throughput.py
"""

from __future__ import annotations

import argparse
import functools
import logging
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

import synthbench as sb
from synthbench.plan.schedule import evaluation_steps

N, K, WIDTH, BATCH, RATE, HELD_OUT = 40, 4, 100, 32, 0.1, 1024


@dataclass(frozen=True)
class Work:
    """Optimizer steps of each replica and the steps after which it is evaluated."""

    steps: int

    @property
    def points(self) -> list[int]:
        return evaluation_steps(self.steps, 0.05)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(N, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1), nn.Flatten(0))


def draw(support: Tensor, size: int) -> tuple[Tensor, Tensor]:
    x = torch.randint(0, 2, (size, N)).float() * 2 - 1
    return x, x[:, support].prod(1)


class PlainModule(pl.LightningModule):
    """What most people write: automatic optimization, one seed."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        x, y = batch
        return torch.relu(1 - y * self.network(x)).mean()

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        x, y = batch
        self.log("accuracy", (torch.sign(self.network(x)) == y).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE)


class FreshBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches up to the next evaluation point; one pass is one epoch."""

    def __init__(self, support: Tensor, points: list[int]) -> None:
        self.support = support
        self.counts = iter([b - a for a, b in pairwise(points)])

    def __iter__(self):
        for _ in range(next(self.counts)):
            yield draw(self.support, BATCH)


def plain_lightning(work: Work, replicas: int) -> float:
    support = torch.randperm(N)[:K]
    held_out = draw(support, HELD_OUT)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=len(work.points) - 1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    start = time.perf_counter()
    trainer.fit(
        PlainModule(),
        DataLoader(FreshBatches(support, work.points), batch_size=None),
        DataLoader([held_out], batch_size=None),
    )
    return time.perf_counter() - start


def bare_torch(work: Work, replicas: int) -> float:
    start = time.perf_counter()
    support = torch.randperm(N)[:K]
    held_out = draw(support, HELD_OUT)
    net = network()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    points = set(work.points)
    for step in range(work.steps + 1):
        if step in points:
            with torch.no_grad():
                (torch.sign(net(held_out[0])) == held_out[1]).float().mean().item()
        x, y = draw(support, BATCH)
        loss = torch.relu(1 - y * net(x)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def synthbench(work: Work, replicas: int) -> float:
    """The public API, end to end: inspection, data, evaluation, Lightning, record, figure."""
    protocol = sb.Protocol(budget=work.steps * BATCH, seeds=replicas, until="budget")
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=replicas)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sb.evaluate(
            f"sparse-parity n={N} k={K}",
            f"mlp width={WIDTH}",
            protocol=protocol,
            out=Path(folder),
            settings=settings,
        )
        return time.perf_counter() - start


def jax_forward(p, x):
    return jax.nn.relu(x @ p["w"] + p["b"]) @ p["v"] + p["c"]


def jax_loss(p, x, y):
    return jax.nn.relu(1 - y * jax_forward(p, x)).mean()


def jax_data(key, support, size):
    x = jax.random.rademacher(key, (size, N), jnp.float32)
    return x, x[:, support].prod(1)


def jax_step(step, carry):
    p, key, support = carry
    gradient = jax.grad(jax_loss)(p, *jax_data(jax.random.fold_in(key, step), support, BATCH))
    return jax.tree.map(lambda a, g: a - RATE * g, p, gradient), key, support


@functools.partial(jax.jit, donate_argnums=0)
@functools.partial(jax.vmap, in_axes=(0, 0, 0, None, None))
def jax_train(p, key, support, start, stop):
    return jax.lax.fori_loop(start, stop, jax_step, (p, key, support))[0]


@jax.jit
@jax.vmap
def jax_accuracy(p, x, y):
    return (jnp.sign(jax_forward(p, x)) == y).mean()


def jax_init(key):
    def uniform(index, shape, fan_in):
        bound = fan_in**-0.5
        return jax.random.uniform(
            jax.random.fold_in(key, index), shape, minval=-bound, maxval=bound
        )

    return {
        "w": uniform(0, (N, WIDTH), N),
        "b": uniform(1, (WIDTH,), N),
        "v": uniform(2, (WIDTH,), WIDTH),
        "c": uniform(3, (), WIDTH),
    }


def hand_written_jax(work: Work, replicas: int) -> float:
    keys = jax.random.split(jax.random.key(0), replicas)
    supports = jax.vmap(lambda k: jax.random.permutation(k, N)[:K])(keys)
    held_out = jax.jit(jax.vmap(lambda k, s: jax_data(k, s, HELD_OUT)))(keys, supports)
    # Compile outside the measurement.
    p = jax_train(jax.jit(jax.vmap(jax_init))(keys), keys, supports, 0, 1)
    jax.block_until_ready(jax_accuracy(p, *held_out))
    start = time.perf_counter()
    p = jax.jit(jax.vmap(jax_init))(keys)
    for a, b in pairwise(work.points):
        p = jax_train(p, keys, supports, a, b)
        jax.block_until_ready(jax_accuracy(p, *held_out))
    return time.perf_counter() - start


@dataclass(frozen=True)
class Contender:
    name: str
    run: Callable[[Work, int], float]
    widths: tuple[int, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    options = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    work, widths = Work(options.steps), tuple(options.widths)
    contenders = [
        Contender("plain Lightning, one seed at a time", plain_lightning, (1,)),
        Contender("bare PyTorch loop, one seed at a time", bare_torch, (1,)),
        Contender("SynthBench, end to end", synthbench, widths),
        Contender("hand-written JAX, jit(loop(vmap))", hand_written_jax, widths),
    ]
    synthbench(Work(50), 2)  # imports and first-call costs
    rates: dict[str, dict[int, list[float]]] = {
        c.name: {w: [] for w in c.widths} for c in contenders
    }
    for _ in range(options.repeats):
        for contender in contenders:
            for width in contender.widths:
                seconds = contender.run(work, width)
                rates[contender.name][width].append(width * work.steps / seconds)
    report(rates, work)


def report(rates: dict[str, dict[int, list[float]]], work: Work) -> None:
    medians = {name: {w: statistics.median(r) for w, r in by.items()} for name, by in rates.items()}
    best = {name: max(by.items(), key=lambda item: item[1]) for name, by in medians.items()}
    plain, _, ours, theirs = (rate for _, rate in best.values())
    table = Table(title=f"{work.steps} steps, {len(work.points)} evaluations of {HELD_OUT} samples")
    for heading in ("", "best R", "replica-steps/s", "x plain Lightning", "x JAX"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, (width, rate) in best.items():
        table.add_row(
            name, str(width), f"{rate:,.0f}", f"{rate / plain:.1f}", f"{rate / theirs:.2f}"
        )
    console = Console(width=100)
    console.print(table)
    for name, by in medians.items():
        console.print(name, {w: round(rate) for w, rate in by.items()})
    console.print(
        f"SynthBench / plain Lightning: {ours / plain:.1f} (target 25); "
        f"SynthBench / JAX: {ours / theirs:.2f} (target 0.8)"
    )
    versions = f"torch {torch.__version__}, Lightning {pl.__version__}, jax {jax.__version__}"
    console.print(
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    main()
