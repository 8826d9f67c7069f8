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
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from side_by_side import in_turn, software, train_quietly
from single_seeds import BATCH, RATE, WIDTH, K, Module, N, network
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

import synthbench as sb
from synthbench.plan.schedule import evaluation_steps

HELD_OUT = 1024


@dataclass(frozen=True)
class Work:
    """Optimizer steps of each replica and the steps after which it is evaluated."""

    steps: int

    @property
    def points(self) -> list[int]:
        return evaluation_steps(self.steps, 0.05)


def draw(support: Tensor, size: int) -> tuple[Tensor, Tensor]:
    x = torch.randint(0, 2, (size, N)).float() * 2 - 1
    return x, x[:, support].prod(1)


class PlainModule(Module):
    """What most people write: automatic optimization, one seed."""

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        x, y = batch
        self.log("accuracy", (torch.sign(self.network(x)) == y).float().mean())


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


@partial(jax.jit, donate_argnums=0)
@partial(jax.vmap, in_axes=(0, 0, 0, None, None))
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


PLAIN, BARE = "plain Lightning, one seed at a time", "bare PyTorch loop, one seed at a time"
OURS, THEIRS = "SynthBench, end to end", "hand-written JAX, jit(loop(vmap))"
CONTENDERS = {PLAIN: plain_lightning, BARE: bare_torch, OURS: synthbench, THEIRS: hand_written_jax}
TARGETS = {32: 1.2, 256: 1.3}
"""Replicas -> how many times as fast as JAX."""

Rates = Mapping[tuple[str, int], float]
"""(contender, replicas) -> replica-steps per second."""


def rate(name: str, replicas: int, work: Work) -> float:
    return replicas * work.steps / CONTENDERS[name](work, replicas)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--threads", type=int, help="cores for all of them; default: as it is")
    options = parser.parse_args()
    train_quietly(options.threads)
    work = Work(options.steps)
    alone = [(PLAIN, 1), (BARE, 1)]
    pairs = [*alone, *((name, width) for name in (OURS, THEIRS) for width in options.widths)]
    synthbench(Work(50), 2)  # imports and first-call costs
    found = in_turn({pair: partial(rate, *pair, work) for pair in pairs}, options.repeats)
    report({pair: statistics.median(rates) for pair, rates in found.items()}, work)


def report(rates: Rates, work: Work) -> None:
    table = Table(title=f"{work.steps} steps, {len(work.points)} evaluations of {HELD_OUT} samples")
    for heading in ("", "R", "replica-steps/s", "x plain Lightning", "x JAX"):
        table.add_column(heading, justify="left" if not heading else "right")
    plain = rates[PLAIN, 1]
    for (name, width), found in rates.items():
        times = f"{found / rates[THEIRS, width]:.2f}" if name == OURS else ""
        table.add_row(name, str(width), f"{found:,.0f}", f"{found / plain:.1f}", times)
    console = Console(width=100)
    console.print(table)
    best = {name: max(r for (n, _), r in rates.items() if n == name) for name in CONTENDERS}
    console.print(
        f"at each one's best R: SynthBench / plain Lightning {best[OURS] / plain:.1f} (target 25), "
        f"SynthBench / JAX {best[OURS] / best[THEIRS]:.2f}"
    )
    targets = ", ".join(f"{least} at R={width}" for width, least in TARGETS.items())
    console.print(f"targets of x JAX: {targets}")
    console.print(
        f"{torch.get_num_threads()} threads, {software('torch', 'pytorch-lightning', 'jax')}"
    )


if __name__ == "__main__":
    main()
