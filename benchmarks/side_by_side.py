"""What the benchmarks share: contenders timed in turn, medians, and equal threads for all."""

from __future__ import annotations

import logging
import os
import platform
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping
from importlib.metadata import version
from typing import NamedTuple, TypeVar

K, T = TypeVar("K", bound=Hashable), TypeVar("T")


class Seconds(NamedTuple):
    """Wall time, and CPU time of all threads and finished children, NaN where it is not known.

    On a busy machine the CPU time says more: what others do is in the wall time.
    """

    wall: float
    cpu: float

    def __str__(self) -> str:
        return with_bracket(f"{self.wall:,.2f}", f"{self.cpu:,.2f}")

    def ratio(self, other: Seconds) -> str:
        """How many times as long as another."""
        return with_bracket(f"{self.wall / other.wall:.2f}", f"{self.cpu / other.cpu:.2f}")


def with_bracket(wall: str, cpu: str) -> str:
    return wall if cpu == "nan" else f"{wall} ({cpu})"


def timed(run: Callable[[], object]) -> Seconds:
    """Run something once."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    run()
    return Seconds(time.perf_counter() - wall, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    """CPU time of this process and of the children that it has waited for."""
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def in_turn(contenders: Mapping[K, Callable[[], T]], repeats: int) -> dict[K, list[T]]:
    """What every contender returns, `repeats` times; in turn, so that a busy moment meets all."""
    found: dict[K, list[T]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            found[name].append(run())
    return found


def median_seconds(times: Iterable[Seconds]) -> Seconds:
    """Median of the wall times, and of the CPU times."""
    return Seconds(*(statistics.median(column) for column in zip(*times, strict=True)))


def use_threads(count: int) -> None:
    """Leave `count` cores to this process and its children, whatever library they compute with."""
    os.environ["OMP_NUM_THREADS"] = str(count)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def train_quietly(threads: int | None = None) -> None:
    """No warnings, none of Lightning's hints, and so many threads if any number is named."""
    # Here: what only starts other processes trains nothing.
    import torch

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    if threads is not None:
        use_threads(threads)
        torch.set_num_threads(threads)


def software(*distributions: str) -> str:
    """Versions of Python and of some distributions, in one line."""
    named = ", ".join(f"{name} {version(name)}" for name in distributions)
    return f"Python {platform.python_version()}, {named}"
