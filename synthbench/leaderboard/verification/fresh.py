"""Training a submission on fresh seeds, and holding a result on them against another training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic

import numpy as np
from scipy.stats import binom

from synthbench.leaderboard.submissions.expected import expected_cells, rebuild_cell
from synthbench.leaderboard.submissions.fresh import (
    FreshCell,
    FreshResult,
    first_fresh_seed,
    fresh_protocol,
)
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.verification.outcomes import (
    FALSE_POOLED_TIMES,
    FALSE_TIMES,
    Array,
    shifted_times,
)
from synthbench.leaderboard.verification.rerun import rerun_replicas
from synthbench.leaderboard.verification.same_bits import owes_bits, same_setup
from synthbench.listeners.listener import Listener
from synthbench.metrics.time_to_target import times_to_target
from synthbench.plan.cell import Cell
from synthbench.plan.suite import Suite
from synthbench.records.schema import Compute

RESOLUTION = 1.051
"""Ratio of two times that are one evaluation point apart, at the most."""
NEAR = 0.6
"""Share of times that rounding leaves within an evaluation point, at the least. Of nine cells, each
trained in five other ways or on a GPU, the least was 0.72 (Adam with a rate of 0.03)."""
FALSE_NEAR = 2e-4
"""How often honest results fail by it, over all cells; and by those of all cells together."""


def fresh_cells(
    checked: CheckedSubmission, suite: Suite, first_seed: int, seeds: int
) -> list[Cell]:
    """The submission's cells on other seeds, without the probes, which change no number.

    Raises SubmissionError or UnknownNameError where a model cannot be rebuilt here.
    """
    cells = []
    for measured, wanted in zip(checked.cells, expected_cells(suite), strict=True):
        cell = rebuild_cell(measured.record, wanted)
        protocol = fresh_protocol(cell.protocol, first_seed, seeds)
        cells.append(Cell(cell.task, cell.model, protocol))
    return cells


def train_on_fresh_seeds(
    checked: CheckedSubmission,
    suite: Suite,
    beacon: str,
    seeds: Sequence[int],
    accelerator: str,
    listener: Listener,
) -> Iterator[FreshCell]:
    """Train every cell on the seeds of a beacon, as the submission's replicas were.

    seeds: which of them, as numbers from 0.
    """
    cells = fresh_cells(checked, suite, first_fresh_seed(beacon, suite), max(seeds) + 1)
    for measured, cell in zip(checked.cells, cells, strict=True):
        begun = monotonic()
        rerun = rerun_replicas(cell, seeds, accelerator, listener, measured.record)
        reached = times_to_target(rerun.trajectories, measured.record.target)
        yield FreshCell(
            samples_to_target=tuple(
                int(time) if solved else None
                for time, solved in zip(reached.times, reached.solved, strict=True)
            ),
            data=tuple(rerun.data),
            environment=rerun.environment,
            wall_seconds=round(monotonic() - begun, 3),
        )


def differences(
    found: FreshResult, again: Sequence[FreshCell], seeds: Sequence[int], trained: Sequence[Compute]
) -> list[str]:
    """What another training of some of the seeds contradicts, one line each; none where it agrees.

    trained: how the cells are, by their records. Data must be equal everywhere, times where a
    verification asks for the same bits (`owes_bits`, `same_setup`). Elsewhere no more of them may
    be farther than an evaluation point away than rounding moves (`NEAR`), and none of its exact
    tests may find the earlier ones shifted: of a cell, or of all together.
    """
    lines, compared, said = list[str](), list[Array](), False
    cells = zip(found.cells, again, trained, strict=True)
    for number, (cell, new, compute) in enumerate(cells, start=1):
        if [cell.data[seed] for seed in seeds] != list(new.data):
            lines.append(f"cell {number}: the data are not those of the beacon's seeds")
            continue
        old = [cell.samples_to_target[seed] for seed in seeds]
        pairs = list(zip(seeds, old, new.samples_to_target, strict=True))
        other = [seed for seed, one, two in pairs if one != two]
        if owes_bits(compute) and same_setup(cell.environment, new.environment):
            if other:
                lines.append(
                    f"cell {number}: fresh seed {other[0]} has another time to target, on the same "
                    "hardware and software"
                )
            continue
        times = np.array([[one or np.inf, two or np.inf] for _, one, two in pairs])
        compared.append(times)
        if wrong := _wrong(times, FALSE_TIMES / len(found.cells), FALSE_NEAR / len(found.cells)):
            lines.append(f"cell {number}: {wrong}")
            said = True
    if len(compared) > 1 and not said:
        wrong = _wrong(np.concatenate(compared), FALSE_POOLED_TIMES, FALSE_NEAR)
        lines += [f"over all cells, {wrong}"] if wrong else []
    return lines


def _wrong(times: Array, false_shift: float, false_near: float) -> str | None:
    """What (R, 2) times contradict, each test at its level."""
    if (shift := shifted_times(times, false_shift)) is not None:
        return shift
    others = other_times(times, false_near)
    return "the times to target are not those of their seeds" if others else None


def other_times(times: Array, level: float) -> bool:
    """Whether so few of (R, 2) times lie within an evaluation point less often than in `level`.

    inf where the target was not reached.
    """
    near = sum(_near(one, two) for one, two in times.tolist())
    return float(binom.cdf(near, len(times), NEAR)) < level


def _near(one: float, two: float) -> bool:
    return one == two or max(one, two) / min(one, two) <= RESOLUTION
