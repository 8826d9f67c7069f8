"""A grid of learning rates in one call, against one cell with as many replicas.

Eight rates with eight seeds each are as many replica-steps as 64 seeds of one rate, and the rate is
a number that replicas do not share anyway. Both spend their budgets to the end; both are timed from
the call to the records.

    python benchmarks/grid.py [--models mlp transformer] [--quick]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from side_by_side import Seconds, in_turn, median_seconds, software, timed, train_quietly

import synthbench as sb
from synthbench_markov.task import MarkovChain
from synthbench_mlp.model import MLP
from synthbench_parity.task import SparseParity
from synthbench_transformer.model import Transformer

RATES, SEEDS = 8, 8


class Grid(NamedTuple):
    """A model on a task, the ends of its learning rates, and optimizer steps."""

    task: sb.Task
    model: sb.Model
    slowest: float
    fastest: float
    steps: int

    def cells(self, rates: Sequence[float], seeds: int, steps: int) -> list[sb.Cell]:
        """One for each rate."""
        budget = steps * self.model.recipe.batch_size
        protocol = sb.Protocol(seeds=seeds, budget=budget, until="budget")
        recipes = [self.model.recipe.model_copy(update={"lr": rate}) for rate in rates]
        models = [self.model.model_copy(update={"recipe": recipe}) for recipe in recipes]
        return [sb.Cell(self.task, model, protocol) for model in models]

    @property
    def rates(self) -> list[float]:
        return np.geomspace(self.slowest, self.fastest, RATES).round(6).tolist()


GRIDS = {
    "mlp": Grid(SparseParity(n=40, k=4), MLP(), 0.02, 0.2, 2000),
    "transformer": Grid(MarkovChain(symbols=2, length=32, last=8), Transformer(), 3e-4, 3e-3, 100),
}


def evaluate(cells: Sequence[sb.Cell]) -> Seconds:
    """All cells in one call, into a folder of their own."""
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: sb.evaluate_cells(cells, Path(folder), settings))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=GRIDS, default=list(GRIDS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, once")
    options = parser.parse_args()
    train_quietly(options.threads)
    grid, one = f"{RATES} rates x {SEEDS} seeds", f"one cell, {RATES * SEEDS} seeds"
    table = Table("", grid, one, "ratio", title="seconds, medians; in brackets CPU time")
    for name in options.models:
        chosen = GRIDS[name]
        steps = chosen.steps // 10 if options.quick else chosen.steps
        evaluate(chosen.cells(chosen.rates[:1], 2, 10))  # imports and first-call costs
        contenders = {
            grid: partial(evaluate, chosen.cells(chosen.rates, SEEDS, steps)),
            one: partial(evaluate, chosen.cells(chosen.rates[-1:], RATES * SEEDS, steps)),
        }
        found = in_turn(contenders, 1 if options.quick else options.repeats)
        many, single = (median_seconds(times) for times in found.values())
        table.add_row(f"{name}, {steps} steps", str(many), str(single), many.ratio(single))
    console = Console(width=100)
    console.print(table)
    console.print(f"target: at most 1.5; {torch.get_num_threads()} threads, {software('torch')}")


if __name__ == "__main__":
    main()
