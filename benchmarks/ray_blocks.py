"""What a block costs beside its training: very many small ones, on Ray and on local workers.

First jobs that only return what a small block does: the price of handing one over, and whether
the memory of the driver or of the workers grows. Then evaluations of real blocks of one step, of
2 and of 50 replicas: what the driver does for a block, what a replica takes on disk and, on paper,
what a million replicas need.

    python benchmarks/ray_blocks.py [--jobs 10000] [--blocks 500] [--launchers ray local]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from side_by_side import software, train_quietly

import synthbench as sb
from synthbench.listeners.listener import Silent
from synthbench.registry.registry import installed

WORKERS = 2
POINTS, COLUMNS = 20, 4
"""Evaluations and measurements of a replica in what a job returns."""
WIDTHS = (2, 50)
MILLION = 1_000_000
MIB = 2**20


@dataclass(frozen=True)
class Echo:
    """Returns as much as a small block, and says twice how far it is."""

    number: int

    def __call__(self, tell: Callable[[Any], None]) -> tuple[int, np.ndarray]:
        tell((self.number, 0))
        tell((self.number, 1))
        return os.getpid(), np.zeros((2 * POINTS, COLUMNS))


class Soak(NamedTuple):
    """milliseconds: of a job. growth: MiB of the driver and of one worker, per 1000 jobs."""

    milliseconds: float
    driver: float
    worker: float
    heard: int


def resident(process: int | str = "self") -> float:
    """MiB that a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def soak(launcher: str, jobs: int) -> Soak:
    """Memory is compared after a fifth of the jobs and at the end."""
    heard = [0]

    def hear(_: Any) -> None:
        heard[0] += 1

    with installed().launcher(launcher).open(hear) as crew:
        # Every process has imported what it needs.
        workers = {f.result()[0] for f in [crew.submit(Echo(i)) for i in range(20 * WORKERS)]}
        marks = []
        began, waiting = time.perf_counter(), set[Future[Any]]()
        for number in range(jobs):
            if len(waiting) >= crew.room:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                workers |= {each.result()[0] for each in done}
            waiting.add(crew.submit(Echo(number)))
            if number in (jobs // 5, jobs - 1):
                marks.append((number, resident(), np.mean([resident(p) for p in workers])))
        wait(waiting)
        seconds = time.perf_counter() - began
        (start, driver, worker), (end, driver_end, worker_end) = marks
    per = 1000 / (end - start)
    growth = (driver_end - driver) * per, (worker_end - worker) * per
    return Soak(1000 * seconds / jobs, *growth, heard[0])


class Real(NamedTuple):
    """Of blocks of so many replicas and one step.

    block, driver: seconds of wall time of a worker, and CPU seconds of the driver. disk: bytes of
    a replica in a finished record. start, end: MiB of the driver after a fifth, and at the end.
    """

    width: int
    block: float
    driver: float
    disk: float
    start: float
    end: float


def evaluate(launcher: str, blocks: int, width: int) -> Real:
    """In cells of 100 blocks."""
    count = max(blocks // 100, 1)
    marks: list[float] = []

    class Watch(Silent):
        def cell_finished(self, record: sb.Record, reused: bool) -> None:
            marks.append(resident())

    models = [installed().model(f"mlp width={8 + i} lr=0.1") for i in range(count)]
    task = installed().task("sparse-parity n=10 k=2")
    protocol = sb.Protocol(seeds=100 * width, budget=32, evaluation_samples=128)
    cells = [sb.Cell(task, model, protocol) for model in models]
    settings = sb.Settings(
        sb.TrainerOptions("cpu"),
        replicas_per_block=width,
        launcher=launcher,
        listener=Watch(),
        pictures=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        sb.evaluate_cells(cells, Path(folder), settings)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    done = count * 100
    memory = marks[len(marks) // 5], marks[-1]
    return Real(width, wall * WORKERS / done, cpu / done, written / done / width, *memory)


@contextmanager
def cluster(wanted: bool) -> Iterator[None]:
    """A Ray cluster of this machine, where it is needed."""
    if wanted:
        import ray

        ray.init(num_cpus=WORKERS, log_to_driver=False, include_dashboard=False)
    yield


def on_paper(narrow: Real, wide: Real) -> Table:
    """What a million replicas of few evaluations take, in blocks of several widths."""
    each = (wide.driver - narrow.driver) / (wide.width - narrow.width)
    fixed = narrow.driver - each * narrow.width
    table = Table("replicas a block", "blocks", "driver, h", "on disk, GB", "full with, workers",
                  title="a million replicas, on paper; workers that take a minute for a block",
                  )  # fmt: skip
    for width in (2, 10, 100):
        driver = fixed + each * width
        hours, blocks = MILLION / width * driver / 3600, MILLION // width
        disk = MILLION * wide.disk / 1e9
        table.add_row(
            f"{width}", f"{blocks:,}", f"{hours:.2f}", f"{disk:.1f}", f"{60 / driver:,.0f}"
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument(
        "--launchers", nargs="+", choices=("ray", "local"), default=("ray", "local")
    )
    options = parser.parse_args()
    train_quietly()
    references = {"ray": "ray address=auto", "local": f"local workers={WORKERS}"}
    jobs = Table("", "ms a job", "MiB per 1000 jobs: driver", "a worker", "heard")
    blocks = Table("", "width", "s a block", "driver, CPU ms", "driver, MiB", "bytes a replica")
    jobs.title = f"{options.jobs:,} jobs, {WORKERS} workers"
    blocks.title = f"{options.blocks:,} blocks of an evaluation, {WORKERS} workers"
    with cluster("ray" in options.launchers):
        for name in options.launchers:
            found = soak(references[name], options.jobs)
            growth = f"{found.driver:+.2f}", f"{found.worker:+.2f}"
            jobs.add_row(name, f"{found.milliseconds:.2f}", *growth, f"{found.heard:,}")
            real = [evaluate(references[name], options.blocks, width) for width in WIDTHS]
            for each in real:
                times = f"{each.block:.3f}", f"{1000 * each.driver:.1f}"
                memory = f"{each.start:,.0f} to {each.end:,.0f}"
                blocks.add_row(name, f"{each.width}", *times, memory, f"{each.disk:,.0f}")
    for table in (jobs, blocks, on_paper(*real)):
        Console().print(table)
    print(software("torch", "ray"))


if __name__ == "__main__":
    main()
