"""Placing the submissions of one suite on its board: read, checked, measured and ranked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import ConfigurationError, SubmissionError
from synthbench.leaderboard.standings.board import Board, Refused
from synthbench.leaderboard.standings.entry import Entry, EntryCell, measure_submission
from synthbench.leaderboard.standings.ranking import (
    geometric_mean,
    has_intervals,
    log_flops,
    log_samples,
    pareto_front,
    performance_profile,
    rank_ranges,
    resampled_medians,
    seed_weights,
)
from synthbench.leaderboard.standings.reference_rows import reference_rows
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.leaderboard.submissions.record_checks import expected_cells
from synthbench.leaderboard.submissions.submission import SUBMISSIONS
from synthbench.metrics.comparison import ratio_estimate
from synthbench.metrics.estimate import Estimate
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed

Array = NDArray[np.float64]

DEFAULT_FOLDER = Path("leaderboards")
Progress = Callable[[int, int], None]
WORTH_PROCESSES = 24
"""Submissions from which several processes read faster than one."""


def read_board(
    suite: Suite | str, folder: Path | str = DEFAULT_FOLDER, progress: Progress | None = None
) -> Board:
    """Read, check, measure and rank the submissions of a suite, or of the suite of that name.

    Those that come with the suite and those in `folder/<suite>/submissions`. A submission that
    breaks a rule is set aside with its reason; nothing it holds is trusted. progress: called with
    the number of submissions read so far, and of all.
    """
    suite = installed().suite(suite) if isinstance(suite, str) else suite
    # The default need not be there: bundled submissions come with their suites.
    if not Path(folder).is_dir() and (Path(folder).exists() or Path(folder) != DEFAULT_FOLDER):
        raise ConfigurationError(f"{folder} is not a folder of leaderboards; see --boards")
    folders = list(submission_folders(suite, Path(folder)))
    read = partial(_read, suite)
    if len(folders) < WORTH_PROCESSES:
        found = _counted(map(read, folders), len(folders), progress)
    else:
        # Not forked: torch's threads do not survive it.
        processes, context = os.cpu_count() or 1, get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            read_there = pool.map(read, folders, chunksize=4)
            found = _counted(read_there, len(folders), progress)
    entries = [item for item in found if isinstance(item, Entry)]
    refused = [item for item in found if isinstance(item, Refused)]
    names = {entry.submission.name: entry.folder for entry in reversed(entries)}
    for entry in entries:
        first = names[entry.submission.name]
        if first != entry.folder:
            refused.append(Refused(entry.folder, f"its name is taken by {first}"))
    kept = [entry for entry in entries if names[entry.submission.name] == entry.folder]
    return _rank(suite, kept, refused)


def _counted(
    found: Iterable[Entry | Refused], count: int, progress: Progress | None
) -> list[Entry | Refused]:
    collected = []
    for one in found:
        collected.append(one)
        if progress is not None:
            progress(len(collected), count)
    return collected


def submission_folders(suite: Suite, folder: Path) -> Iterator[Path]:
    """Every folder of a submission: the suite's own, then those of `folder`, by name.

    SubmissionError where they may not be listed.
    """
    seen: set[Path] = set()
    for root in (suite.folder / SUBMISSIONS, folder / suite.name / SUBMISSIONS):
        try:
            if root.is_dir() and root.resolve() not in seen:
                seen.add(root.resolve())
                yield from sorted(p for p in root.iterdir() if not p.name.startswith("."))
        except OSError as error:
            raise SubmissionError(f"{root} cannot be read: {error.strerror}") from None


def _read(suite: Suite, folder: Path) -> Entry | Refused:
    try:
        return measure_submission(read_submission(folder, suite, expected_cells(suite)), suite)
    except SubmissionError as error:
        return Refused(folder, str(error))


def _rank(suite: Suite, entries: Sequence[Entry], refused: Sequence[Refused]) -> Board:
    tasks = tuple(cell.task.label() for cell in expected_cells(suite))
    reference = next((entry for entry in entries if entry.is_reference), None)
    rows = reference_rows(suite, reference or next(iter(entries), None))
    relative_to = suite.reference if reference else "the budget"
    if not entries:
        return Board(suite, tasks, (), tuple(refused), rows, relative_to)
    weights = seed_weights(suite.seeds)
    times = [[cell.times for cell in entry.cells] for entry in entries]
    resampled = [resampled_medians(cells, weights) for cells in times]
    prices = np.array([[cell.flops_per_sample for cell in cells] for cells in times])
    index = None if reference is None else entries.index(reference)
    price = prices.max(axis=0) if index is None else prices[index]
    logs = np.stack([log_samples(c, m) for c, m in zip(times, resampled, strict=True)])
    costs = np.stack([log_flops(c, m, price) for c, m in zip(times, resampled, strict=True)])
    if index is None:
        budgets = np.array([cell.budget for cell in suite.cells], float)
        bases = (np.log(budgets)[:, None], np.log(budgets * np.maximum(price, 1.0))[:, None])
    else:
        bases = (logs[index], costs[index])
    samples = [_score(log - bases[0], suite.seeds) for log in logs]
    flops = [_score(cost - bases[1], suite.seeds) for cost in costs]
    means = logs.mean(axis=1)
    ranges = rank_ranges(means if has_intervals(suite.seeds) else means[:, :1])
    profile = performance_profile(np.array([medians[:, 0] for medians in resampled]))
    solves = np.array([entry.solved_cells > 0 for entry in entries])
    axes = [np.array([e.value for e in axis], float) for axis in (samples, flops)]
    # One that solves nothing has no time to offer.
    front = pareto_front(*(np.where(solves, axis, np.inf) for axis in axes)) & solves
    placed = [
        replace(
            entry,
            cells=_with_ratios(entry, i, index, resampled, entries),
            samples=samples[i],
            flops=flops[i],
            rank=ranges[i],
            profile=tuple(float(ratio) for ratio in profile[i]),
            on_front=bool(front[i]),
            bound=_bound(entry, reference),
        )
        for i, entry in enumerate(entries)
    ]
    placed.sort(key=lambda entry: (entry.samples.value, entry.submission.name))
    return Board(suite, tasks, tuple(placed), tuple(refused), rows, relative_to)


def _score(log_ratios: Array, replicas: int) -> Estimate:
    found = geometric_mean(log_ratios)
    if has_intervals(replicas):
        return found
    return Estimate(value=found.value, low=None, high=None)


def _bound(entry: Entry, reference: Entry | None) -> Literal["", "<", ">", "~"]:
    """Which way the ratios can still go; the reference itself is exactly 1."""
    if reference is not None and entry.is_reference:
        return ""
    more = any(not cell.solved for cell in entry.cells)
    less = reference is not None and any(not cell.solved for cell in reference.cells)
    return "~" if more and less else ">" if more else "<" if less else ""


def _with_ratios(
    entry: Entry, own: int, base: int | None, resampled: Sequence[Array], entries: Sequence[Entry]
) -> tuple[EntryCell, ...]:
    """The entry's cells with their ratios to the reference model's, where there is one."""
    if base is None:
        return entry.cells
    ratios = [
        ratio_estimate(one, two, cell.times.reached, other.times.reached)
        for one, two, cell, other in zip(
            resampled[own], resampled[base], entry.cells, entries[base].cells, strict=True
        )
    ]
    return tuple(replace(c, ratio=ratio) for c, ratio in zip(entry.cells, ratios, strict=True))
