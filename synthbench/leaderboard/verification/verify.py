"""Verifying a submission: a random share of its replicas is trained again and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

import numpy as np

from synthbench.engine.training.block import NARROWEST
from synthbench.leaderboard.submissions.expected import expected_cells, rebuild_cell
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.verification.agreement import Agreement, compare_rerun
from synthbench.leaderboard.verification.outcomes import FALSE_POOLED_TIMES, shifted_times
from synthbench.leaderboard.verification.rerun import Rerun, rerun_replicas
from synthbench.leaderboard.verification.strays import FALSE_STRAYS, STRAY, too_many
from synthbench.listeners.listener import Listener
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.suite import Suite


@dataclass(frozen=True)
class Verification:
    """How to verify: the share of each cell's replicas, which ones at random, and where."""

    fraction: float
    seed: int
    accelerator: str = "auto"


@dataclass(frozen=True)
class CellVerdict:
    """One cell's replicas that were trained again, and how they agree."""

    number: int
    replicas: tuple[int, ...]
    agreement: Agreement


def choose_replicas(count: int, verification: Verification, cell: int) -> list[int]:
    """A random share of a cell's replicas, at least two where there are two; ascending."""
    wanted = min(max(ceil(verification.fraction * count), NARROWEST), count)
    draws = np.random.default_rng([verification.seed, cell])
    return sorted(int(r) for r in draws.choice(count, wanted, replace=False))


def verify_submission(
    checked: CheckedSubmission, suite: Suite, verification: Verification, listener: Listener
) -> Iterator[CellVerdict]:
    """Rerun and compare, cell by cell; with the last comes what is wrong over all of them.

    Everything that follows from the trajectories was recomputed when the submission was read.
    Raises SubmissionError or UnknownNameError where a model cannot be rebuilt here.
    """
    expected = expected_cells(suite)
    planned = [
        rebuild_cell(cell.record, wanted)
        for cell, wanted in zip(checked.cells, expected, strict=True)
    ]
    verdicts: list[CellVerdict] = []
    for number, (measured, cell) in enumerate(zip(checked.cells, planned, strict=True), start=1):
        record = measured.record
        replicas = choose_replicas(cell.protocol.seeds, verification, number)
        again = partial(
            rerun_replicas,
            cell,
            accelerator=verification.accelerator,
            listener=listener,
            record=record,
        )
        nudged = partial(_nudged, again, replicas)
        rerun = again(replicas)
        found = compare_rerun(record, measured.trajectories, rerun, nudged, len(planned))
        verdicts.append(CellVerdict(number, tuple(replicas), found))
        yield verdicts[-1] if number < len(planned) else _with_all(verdicts)


def _nudged(
    again: Callable[..., Rerun], replicas: Sequence[int], nudge: int, places: Sequence[int]
) -> Trajectories:
    """With other last bits, those of the chosen replicas that are at these places among them."""
    return again([replicas[place] for place in places], nudge=nudge).trajectories


def _with_all(verdicts: Sequence[CellVerdict]) -> CellVerdict:
    """The last verdict, with what is wrong over all."""
    own = verdicts[-1].agreement
    failures = (*own.failures, *failures_over_all(verdicts))
    return replace(verdicts[-1], agreement=replace(own, failures=failures))


def failures_over_all(verdicts: Sequence[CellVerdict]) -> list[str]:
    """What no cell shows by itself: a stray here and there, times that are all off by a little."""
    return [*_strays_over_all(verdicts), *_times_over_all(verdicts)]


def _strays_over_all(verdicts: Sequence[CellVerdict]) -> list[str]:
    strays = sum(len(verdict.agreement.strays) for verdict in verdicts)
    compared = sum(len(verdict.replicas) for verdict in verdicts)
    if not too_many(strays, compared, FALSE_STRAYS):
        return []
    return [
        f"over all cells {strays} of {compared} replicas leave their reruns where rounding does "
        f"not carry them; of honest ones at most 1 in {round(1 / STRAY)} does"
    ]


def _times_over_all(verdicts: Sequence[CellVerdict]) -> list[str]:
    """Of the replicas that were compared seed by seed."""
    times = [v.agreement.times for v in verdicts if v.agreement.times is not None]
    if not times:
        return []
    shift = shifted_times(np.concatenate(times), FALSE_POOLED_TIMES)
    return [] if shift is None else [f"over all cells {shift}"]
