"""Replica-steps per second of optimizers on the replica axis, beside one seed at a time.

Sparse parity n=40, k=4; one hidden ReLU layer of 100, batch 32, hinge. `adamw` is built in: one
update of the stacked parameters. `wrapped-adamw` is torch's, built for one replica as a plugin
would, and its step is vmapped. `muon` is looped on CPU: its rounding depends on the stack's width.
SynthBench is timed end to end, the plain loops without any evaluation.

    pip install -c constraints.txt -e .
    python benchmarks/optimizer_throughput.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from rich.console import Console
from rich.table import Table
from side_by_side import in_turn
from torch import nn

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose
from synthbench_muon.muon import Muon

TASK, MODEL, WIDTH, BATCH = "sparse-parity n=40 k=4", "mlp width=100", 100, 32


class WrappedAdamW(sb.Optimizer):
    """torch.optim.AdamW for one replica."""

    name: ClassVar[str] = "wrapped-adamw"

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe
    ) -> torch.optim.Optimizer:
        """One optimizer over everything."""
        return torch.optim.AdamW(list(parameters.values()), lr=recipe.lr, weight_decay=0.0)


RECIPES = {
    "adamw": sb.Recipe(optimizer="adamw", lr=0.01, loss="hinge"),
    "wrapped-adamw": sb.Recipe(optimizer=WrappedAdamW(), lr=0.01, loss="hinge"),
    "muon": sb.Recipe(optimizer=Muon(), lr=0.02, loss="hinge"),
}


def on_the_axis(recipe: sb.Recipe, replicas: int, steps: int) -> float:
    """The public API, end to end: inspection, block size, data, evaluation, record, figure."""
    model = installed().model(MODEL).model_copy(update={"recipe": recipe})
    protocol = sb.Protocol(
        budget=steps * BATCH, seeds=replicas, until="budget", evaluation_samples=1024
    )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sb.evaluate(TASK, model, protocol=protocol, out=Path(folder))
        return replicas * steps / (time.perf_counter() - start)


def one_seed(build: Callable[[nn.Module], list[torch.optim.Optimizer]], steps: int) -> float:
    """A bare loop over steps with fresh data, and no evaluation."""
    task = installed().task(TASK)
    world = task.world(sb.Stream.from_seed(0, Purpose.WORLD))
    network = nn.Sequential(nn.Linear(40, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1), nn.Flatten(0))
    optimizers = build(network)
    start = time.perf_counter()
    for _ in range(steps):
        x = torch.randint(0, 2, (BATCH, 40)) * 2.0 - 1
        loss = torch.relu(1 - network(x) * x[:, world].prod(1)).mean()
        network.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    return steps / (time.perf_counter() - start)


def plain_adamw(network: nn.Module) -> list[torch.optim.Optimizer]:
    """Torch's, over everything."""
    return [torch.optim.AdamW(network.parameters(), lr=0.01)]


def plain_muon(network: nn.Module) -> list[torch.optim.Optimizer]:
    """As the plugin does it: matrices by Muon, the rest by AdamW."""
    return Muon().build(dict(network.named_parameters()), RECIPES["muon"])


def main() -> None:
    """Time every contender in turn, several times over; print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicas", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    contenders: dict[str, Callable[[int], float]] = {
        "plain loop, adamw": partial(one_seed, plain_adamw),
        "plain loop, muon": partial(one_seed, plain_muon),
    }
    for name, recipe in RECIPES.items():
        contenders[name] = partial(on_the_axis, recipe, options.replicas)
    for run in contenders.values():
        run(20)  # imports what torch imports late
    runs = {name: partial(run, options.steps) for name, run in contenders.items()}
    rates = in_turn(runs, options.repeats)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    table = Table("", "replica-steps/s", "x plain loop", title=f"{options.replicas} replicas")
    for name, rate in medians.items():
        plain = medians["plain loop, " + ("muon" if "muon" in name else "adamw")]
        table.add_row(name, f"{rate:,.0f}", f"{rate / plain:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
