"""Seconds from the command to the recorded result: an earlier commit, this one, hand-written JAX.

The cells of two suites with their reference models and their own seeds, one contender after the
other, each a process of its own with as many cores. Both commits are installed in environments of
their own and run `synthbench eval`, records and pictures included; only the imports of libraries
are left out and reported apart, as is JAX's compilation. The JAX program records nothing.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/time_to_result.py [--quick] [--suites in-context-v1] [--cells 1 2] [--apart]

A suite is one command, whose cells are timed by when their records were written; --apart gives
every cell a command of its own. CPU time, in brackets, is that of all threads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from commits import ROOT, installed, worktree
from rich.console import Console
from rich.table import Table
from side_by_side import Seconds, in_turn, median_seconds, software, use_threads

SUITES = ("feature-learning-v1", "in-context-v1")
QUICK = {"feature-learning-v1": (1, 2, 3), "in-context-v1": (5,)}
"""Cells of a first look."""
HERE = Path(__file__).parent
JAX = "JAX"

Times = Sequence[int | None]
"""Samples to target of the replicas, None where it was not reached."""


@dataclass(frozen=True)
class SuiteRun:
    """One contender, once: seconds of the whole and of each cell, and how its replicas did.

    before: seconds of what is left out, imports or compilation.
    """

    whole: Seconds
    before: float
    cells: dict[int, Seconds] = field(default_factory=dict)
    reached: dict[int, Times] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """The cells of a suite that are run."""

    name: str
    model: str
    cells: dict[int, str]
    """Number -> task."""

    @classmethod
    def read(cls, name: str, numbers: Sequence[int]) -> Chosen:
        suite = tomllib.loads((ROOT / "leaderboards" / name / "suite.toml").read_text())
        cells = dict(enumerate((cell["task"] for cell in suite["cells"]), start=1))
        kept = {n: task for n, task in cells.items() if not numbers or n in numbers}
        return cls(name, suite["models"][0], kept)


def run_commands(python: Path, chosen: Chosen, apart: bool) -> SuiteRun:
    """`synthbench eval` by the code of an environment: the cells in one command, or each alone."""
    groups = [[number] for number in chosen.cells] if apart else [list(chosen.cells)]
    runs = [run_command(python, chosen, group) for group in groups]
    return SuiteRun(
        Seconds(*(sum(column) for column in zip(*(run.whole for run in runs), strict=True))),
        statistics.median(run.before for run in runs),
        {n: seconds for run in runs for n, seconds in run.cells.items()},
        {n: times for run in runs for n, times in run.reached.items()},
    )


def run_command(python: Path, chosen: Chosen, numbers: Sequence[int]) -> SuiteRun:
    """One command over some cells of a suite."""
    flags = [word for number in numbers for word in ("--cell", str(number))]
    with tempfile.TemporaryDirectory() as folder:
        report, out = Path(folder) / "report.json", Path(folder) / "runs"
        command = ["eval", chosen.name, "--model", chosen.model, "--device", "cpu", *flags]
        script = HERE / "timed_command.py"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        run_quietly([python, script, report, *command, "--out", out], environment)
        timing = json.loads(report.read_text())
        written = _records(out)
    whole = Seconds(timing["wall"], timing["cpu"])
    by_task = {_words(chosen.cells[number]): number for number in numbers}
    cells, reached, before = {}, {}, timing["began"]
    for when, record in written:
        number = by_task[_words(record["task"])]
        # One process measures its CPU time as a whole.
        cells[number] = whole if len(numbers) == 1 else Seconds(when - before, math.nan)
        reached[number] = [replica["samples_to_target"] for replica in record["replicas"]]
        before = when
    return SuiteRun(whole, timing["imports"], cells, reached)


def _records(folder: Path) -> list[tuple[float, dict[str, Any]]]:
    """Records with the times at which they were written, in this order."""
    paths = folder.glob("*/*/record.json")
    found = [(path.stat().st_mtime, json.loads(path.read_text())) for path in paths]
    return sorted(found, key=lambda pair: pair[0])


def _words(task: str) -> frozenset[str]:
    """A task's reference, whatever the order of its fields."""
    return frozenset(task.split())


def run_jax(chosen: Chosen, together: int | None) -> SuiteRun:
    """The hand-written program."""
    flags = ["--cells", *map(str, chosen.cells)]
    if together is not None:
        flags += ["--together", str(together)]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        script = HERE / "jax_cells.py"
        run_quietly([sys.executable, script, chosen.name, *flags, "--report", report], os.environ)
        found = json.loads(report.read_text())
    cells = {int(number): Seconds(cell["wall"], cell["cpu"]) for number, cell in found.items()}
    return SuiteRun(
        Seconds(*(sum(column) for column in zip(*cells.values(), strict=True))),
        sum(cell["compilation"] for cell in found.values()),
        cells,
        {int(number): cell["samples"] for number, cell in found.items()},
    )


def run_quietly(command: Sequence[object], environment: Mapping[str, str]) -> None:
    """Run to the end; what it says is shown only if it fails."""
    done = subprocess.run(
        [str(word) for word in command], env=dict(environment), capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")


def median_samples(runs: Sequence[SuiteRun], number: int) -> str:
    """Median samples to target of a cell's replicas, and how many reached it."""
    times = runs[0].reached[number]
    solved = sum(time is not None for time in times)
    median = statistics.median(math.inf if time is None else time for time in times)
    return f"{median:,.0f} ({solved}/{len(times)})"


def report(chosen: Chosen, found: Mapping[str, Sequence[SuiteRun]], console: Console) -> None:
    """Medians of the seconds with ratios to this commit, and what the replicas reached."""
    table = Table(title=f"{chosen.name}, {chosen.model}: seconds, medians; in brackets CPU time")
    others = [name for name in found if name != "new"]
    headings = ["cell", *found, *(f"{name} / new" for name in others)]
    reached = Table(title="median samples to target (replicas that reached it), first run")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "cell" else "right")
    for heading in ("cell", *found):
        reached.add_column(heading, justify="left" if heading == "cell" else "right")
    for number, task in chosen.cells.items():
        seconds = {
            n: median_seconds(run.cells[number] for run in runs) for n, runs in found.items()
        }
        table.add_row(f"{number} {task}", *_row(seconds, others))
        medians = (median_samples(runs, number) for runs in found.values())
        reached.add_row(f"{number} {task}", *medians)
    table.add_section()
    wholes = {name: median_seconds(run.whole for run in runs) for name, runs in found.items()}
    table.add_row("whole", *_row(wholes, others))
    console.print(table)
    console.print(reached)
    for name, runs in found.items():
        what = "compilation" if name == JAX else "imports of a command"
        every = ", ".join(f"{run.whole}" for run in runs)
        left_out = statistics.median(run.before for run in runs)
        console.print(f"{name}: every run {every}; left out: {what}, {left_out:.1f} s")


def _row(seconds: Mapping[str, Seconds], others: Sequence[str]) -> list[str]:
    ratios = (seconds[name].ratio(seconds["new"]) for name in others)
    return [*map(str, seconds.values()), *ratios]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--against", default="30f6d77", help="commit")
    parser.add_argument("--suites", nargs="+", default=list(SUITES))
    parser.add_argument("--cells", type=int, nargs="+", default=[], help="numbers, from 1")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--apart", action="store_true", help="a command for every cell")
    parser.add_argument("--without", nargs="+", default=[], choices=("old", JAX))
    parser.add_argument("--together", type=int, help="replicas that JAX trains at once")
    parser.add_argument("--quick", action="store_true", help="a few cells, once")
    options = parser.parse_args()
    use_threads(options.threads)
    console = Console(width=160)
    repeats = 1 if options.quick else options.repeats
    with ExitStack() as stack:
        contenders: dict[str, Callable[[Chosen], SuiteRun]] = {}
        if "old" not in options.without:
            tree = stack.enter_context(worktree(options.against))
            old = stack.enter_context(installed(tree))
            contenders["old"] = lambda chosen: run_commands(old, chosen, options.apart)
        new = stack.enter_context(installed(ROOT))
        contenders["new"] = lambda chosen: run_commands(new, chosen, options.apart)
        if JAX not in options.without:
            contenders[JAX] = lambda chosen: run_jax(chosen, options.together)
        for name in options.suites:
            numbers = options.cells or (QUICK.get(name, ()) if options.quick else ())
            chosen = Chosen.read(name, numbers)
            runs = {contender: partial(run, chosen) for contender, run in contenders.items()}
            report(chosen, in_turn(runs, repeats), console)
    libraries = software("torch", "pytorch-lightning")
    console.print(f"old: {options.against}; {options.threads} threads, {libraries}")


if __name__ == "__main__":
    main()
