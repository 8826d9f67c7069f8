"""Verifying a submission: a random share of its replicas is trained again and compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from synthbench.engine.training.block import NARROWEST
from synthbench.leaderboard.submissions.expected import expected_cells, rebuild_cell
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.verification.agreement import Agreement, compare_rerun
from synthbench.leaderboard.verification.rerun import rerun_replicas
from synthbench.listeners.listener import Listener
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
    """Rerun and compare, cell by cell.

    Everything that follows from the trajectories was recomputed when the submission was read.
    Raises SubmissionError or UnknownNameError where a model cannot be rebuilt here.
    """
    expected = expected_cells(suite)
    planned = [
        rebuild_cell(cell.record, wanted)
        for cell, wanted in zip(checked.cells, expected, strict=True)
    ]
    for number, (measured, cell) in enumerate(zip(checked.cells, planned, strict=True), start=1):
        record = measured.record
        replicas = choose_replicas(cell.protocol.seeds, verification, number)
        rerun = rerun_replicas(cell, replicas, verification.accelerator, listener, record)
        found = compare_rerun(record, measured.trajectories, rerun, record.target, len(planned))
        yield CellVerdict(number, tuple(replicas), found)
