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
from synthbench.leaderboard.standings.entry import (
    Entry,
    EntryCell,
    MeasuredSubmission,
    measure_submission,
)
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
    measured, refused = _separated(found)
    return _rank(suite, measured, refused)


def _separated(
    found: Sequence[MeasuredSubmission | Refused],
) -> tuple[list[MeasuredSubmission], list[Refused]]:
    """Those that have a place on the board, and those that are set aside: of a name, one stays."""
    measured = [one for one in found if isinstance(one, MeasuredSubmission)]
    refused = [one for one in found if isinstance(one, Refused)]
    names = {one.submission.name: one.folder for one in reversed(measured)}
    for one in measured:
        first = names[one.submission.name]
        if first != one.folder:
            refused.append(Refused(one.folder, f"its name is taken by {first}"))
    return [one for one in measured if names[one.submission.name] == one.folder], refused


def _counted(
    found: Iterable[MeasuredSubmission | Refused], count: int, progress: Progress | None
) -> list[MeasuredSubmission | Refused]:
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


def _read(suite: Suite, folder: Path) -> MeasuredSubmission | Refused:
    try:
        return measure_submission(read_submission(folder, suite, expected_cells(suite)), suite)
    except SubmissionError as error:
        return Refused(folder, str(error))


def _rank(
    suite: Suite, measured: Sequence[MeasuredSubmission], refused: Sequence[Refused]
) -> Board:
    tasks = tuple(cell.task.label() for cell in expected_cells(suite))
    reference = next((one for one in measured if one.is_reference), None)
    rows = reference_rows(suite, reference or next(iter(measured), None))
    relative_to = suite.reference if reference else "the budget"
    if not measured:
        return Board(suite, tasks, (), tuple(refused), rows, relative_to)
    weights = seed_weights(suite.seeds)
    times = [[cell.times for cell in one.cells] for one in measured]
    resampled = [resampled_medians(cells, weights) for cells in times]
    prices = np.array([[cell.flops_per_sample for cell in cells] for cells in times])
    index = None if reference is None else measured.index(reference)
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
    solves = np.array([any(cell.solved for cell in one.cells) for one in measured])
    axes = [np.array([e.value for e in axis], float) for axis in (samples, flops)]
    # One that solves nothing has no time to offer.
    front = pareto_front(*(np.where(solves, axis, np.inf) for axis in axes)) & solves
    placed = [
        Entry(
            submission=one.submission,
            folder=one.folder,
            cells=_with_ratios(one, i, index, resampled, measured),
            samples=samples[i],
            flops=flops[i],
            rank=ranges[i],
            profile=tuple(float(ratio) for ratio in profile[i]),
            on_front=bool(front[i]),
            is_reference=one.is_reference,
            bound=_bound(one, reference),
        )
        for i, one in enumerate(measured)
    ]
    placed.sort(key=lambda entry: (entry.samples.value, entry.submission.name))
    return Board(suite, tasks, tuple(placed), tuple(refused), rows, relative_to)


def _score(log_ratios: Array, replicas: int) -> Estimate:
    found = geometric_mean(log_ratios)
    if has_intervals(replicas):
        return found
    return Estimate(value=found.value, low=None, high=None)


def _bound(
    own: MeasuredSubmission, reference: MeasuredSubmission | None
) -> Literal["", "<", ">", "~"]:
    """Which way the ratios can still go; the reference itself is exactly 1."""
    if reference is not None and own.is_reference:
        return ""
    more = any(not cell.solved for cell in own.cells)
    less = reference is not None and any(not cell.solved for cell in reference.cells)
    return "~" if more and less else ">" if more else "<" if less else ""


def _with_ratios(
    own: MeasuredSubmission,
    index: int,
    base: int | None,
    resampled: Sequence[Array],
    measured: Sequence[MeasuredSubmission],
) -> tuple[EntryCell, ...]:
    """The submission's cells with their ratios to the reference model's, where there is one."""
    if base is None:
        return own.cells
    ratios = [
        ratio_estimate(one, two, cell.times.reached, other.times.reached)
        for one, two, cell, other in zip(
            resampled[index], resampled[base], own.cells, measured[base].cells, strict=True
        )
    ]
    return tuple(replace(c, ratio=ratio) for c, ratio in zip(own.cells, ratios, strict=True))
