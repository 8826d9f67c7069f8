"""Workers against one process, and Ray against workers of this machine.

Two studies that spend their budgets to the end: one of a minute, and one of seconds, for which
workers hardly pay. All are timed from the call to the records, in turn, medians. Workers of the
machine start anew each time; the Ray cluster is there already, and keeps its processes.

    python benchmarks/workers.py [--workers 2] [--repeats 3] [--no-ray] [--quick]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from side_by_side import Seconds, in_turn, median_seconds, software, timed, train_quietly

import synthbench as sb
from synthbench.listeners.listener import Silent
from synthbench_mlp.model import MLP
from synthbench_parity.task import SparseParity

HERE = "this process"


def study(widths: list[int], seeds: int, budget: int) -> list[sb.Cell]:
    """Parity of 3 in 20, at several widths, which cannot share a stack."""
    protocol = sb.Protocol(seeds=seeds, budget=budget, until="budget")
    return [sb.Cell(SparseParity(n=20, k=3), MLP(width=width), protocol) for width in widths]


STUDIES = {
    "a minute": partial(study, [50, 75, 100, 150, 200, 300], 32, 256_000),
    "seconds": partial(study, [50, 100], 16, 64_000),
}


def evaluate(cells: list[sb.Cell], settings: sb.Settings) -> Seconds:
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: sb.evaluate_cells(cells, Path(folder), settings))


def contenders(cells: list[sb.Cell], workers: int, ray: bool) -> dict[str, Callable[[], Seconds]]:
    trainer, listener = sb.TrainerOptions(accelerator="cpu"), Silent()
    settings = {
        HERE: sb.Settings(trainer, workers=0, listener=listener),
        f"{workers} workers": sb.Settings(trainer, workers=workers, listener=listener),
    }
    if ray:
        launcher = "ray address=auto"
        settings[f"Ray, {workers} CPUs"] = sb.Settings(
            trainer, launcher=launcher, listener=listener
        )
    return {name: partial(evaluate, cells, each) for name, each in settings.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ray", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--quick", action="store_true", help="the short study alone, once")
    options = parser.parse_args()
    train_quietly()
    if options.ray:
        import ray

        ray.init(num_cpus=options.workers, log_to_driver=False, include_dashboard=False)
    table = Table("study", "", "seconds", f"of {HERE}", title="medians of wall time")
    for name in ["seconds"] if options.quick else STUDIES:
        runs = contenders(STUDIES[name](), options.workers, options.ray)
        times = in_turn(runs, 1 if options.quick else options.repeats)
        medians = {each: median_seconds(found).wall for each, found in times.items()}
        for each, wall in medians.items():
            table.add_row(name, each, f"{wall:.1f}", f"{wall / medians[HERE]:.2f}")
    Console().print(table)
    print(software("torch", "ray") if options.ray else software("torch"))


if __name__ == "__main__":
    main()
