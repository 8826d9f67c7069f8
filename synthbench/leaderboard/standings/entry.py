"""One submission as a board shows it: measured cell by cell, then placed among the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthbench.hashing import file_hash
from synthbench.leaderboard.standings.bounds import Bound
from synthbench.leaderboard.standings.fresh import FreshStanding
from synthbench.leaderboard.standings.generalization import delay, longest_of, train_gap
from synthbench.leaderboard.standings.ranking import CellTimes, RankRange
from synthbench.leaderboard.submissions.fresh import FreshResult
from synthbench.leaderboard.submissions.marks import Mark, own_marks
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE, Submission
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.longest_solved import LongestSolved
from synthbench.metrics.summary import Summary
from synthbench.metrics.survival import SurvivalCurve, survival_curve
from synthbench.metrics.transition_metrics import measure_transitions
from synthbench.metrics.transitions import TransitionSummary
from synthbench.plan.suite import Column, Suite
from synthbench.plan.task_facts import set_lengths
from synthbench.records.schema import Compute, Environment
from synthbench.registry.registry import installed
from synthbench.results.measured_cell import MeasuredCell

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The ranked score over samples: the grid (E,), and quantiles over replicas (E,).

    A replica that has stopped keeps its last score.
    """

    samples: Array
    median: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class EntryCell:
    """One submission on one cell.

    stages: median number of transitions per replica. lead: of the suite's probe over the score,
    in decades. longest, gap, delay: those of `generalization`, None where the task has no other
    lengths, and training samples are fresh. ratio: median samples to target over the reference
    model's; unknown where that is not on the board.
    """

    number: int
    model: str
    plan: dict[str, Any]
    """Full configuration of task, model, probes and protocol."""
    times: CellTimes
    survival: SurvivalCurve
    summary: Summary
    transitions: TransitionSummary
    stages: Estimate
    lead: Estimate | None
    longest: LongestSolved | None
    gap: Estimate | None
    delay: Estimate | None
    curve: Curve
    compute: Compute
    environment: Environment
    references: dict[str, float]
    """Mean ranked score of each reference strategy on the replicas' held-out samples."""
    ratio: Estimate = Estimate(value=None, low=None, high=None)

    @property
    def sizes(self) -> tuple[int, int | None, float]:
        """Parameters, state size and FLOPs per sample of one replica."""
        return self.compute.parameters, self.compute.state_size, self.times.flops_per_sample

    @property
    def solved(self) -> bool:
        """Whether at least half of the replicas solved it: the median is within the budget."""
        return self.summary.samples_to_target.value is not None

    def column(self, name: Column) -> Estimate | LongestSolved | None:
        """One of a suite's columns.

        Plateau, width and lead are those of completed transitions: None where fewer than half of
        the replicas completed theirs, which would be a median of the lucky ones.
        """
        whole = {
            "stages": self.stages,
            "longest": self.longest,
            "gap": self.gap,
            "delay": self.delay,
        }
        if name in whole:
            return whole[name]
        if 2 * self.transitions.completed < self.summary.replicas:
            return None
        shapes = {"plateau": self.transitions.plateau, "width": self.transitions.width}
        return self.lead if name == "lead" else shapes[name]


@dataclass(frozen=True)
class MeasuredSubmission:
    """A submission by itself: what is known of it before it is placed among the others.

    is_reference: it is of the reference model, and may be the base of all ratios. digest: SHA-256
    of its `submission.json`, which holds those of its records. marks: what is to be known of it by
    itself.
    """

    submission: Submission
    folder: Path
    cells: tuple[EntryCell, ...]
    is_reference: bool
    digest: str = ""
    marks: tuple[Mark, ...] = ()
    fresh: FreshResult | None = None
    """What a verifier found on fresh seeds, where one has looked."""


@dataclass(frozen=True)
class Entry:
    """One ranked submission.

    samples, flops: geometric mean over cells of the ratio to the reference model, unsolved
    cells at the budget. profile: (C,) ratio of its median to the best one of each cell, inf
    where unsolved. on_front: no other entry needs fewer samples and no more FLOPs, or the
    other way round, and it solves a cell. is_reference: it is what ratios are over. bound: "<" or
    ">" where the ratios are only bounds, because cells are unsolved by the reference or by the
    submission; "~" where both leave cells unsolved. marks: what a reader should know of it.
    """

    submission: Submission
    folder: Path
    cells: tuple[EntryCell, ...]
    samples: Estimate
    flops: Estimate
    rank: RankRange
    profile: tuple[float, ...]
    on_front: bool
    is_reference: bool
    bound: Bound = ""
    marks: tuple[Mark, ...] = ()
    fresh: FreshStanding | None = None
    """How it stands on fresh seeds, where a verifier has looked."""
    fresh_bound: Bound = ""
    """As `bound`, of its samples on fresh seeds."""

    @property
    def solved_cells(self) -> int:
        """Cells whose median is within the budget."""
        return sum(cell.solved for cell in self.cells)

    @property
    def model(self) -> str:
        """The model, or in the tuned track its architecture."""
        models = list(dict.fromkeys(cell.model for cell in self.cells))
        return models[0] if len(models) == 1 else f"{models[0].split()[0]} (tuned per cell)"


def measure_submission(checked: CheckedSubmission, suite: Suite) -> MeasuredSubmission:
    """The metrics of a submission's cells, which need none of the other submissions."""
    reference = installed().model(suite.reference).describe()
    return MeasuredSubmission(
        submission=checked.submission,
        folder=checked.folder,
        cells=tuple(
            _measure(number, cell, suite) for number, cell in enumerate(checked.cells, start=1)
        ),
        is_reference=checked.submission.track == "fixed-recipe"
        and checked.cells[0].record.model_plan == reference,
        digest=file_hash(checked.folder / SUBMISSION_FILE),
        marks=own_marks(checked.submission, [cell.record for cell in checked.cells]),
        fresh=checked.fresh,
    )


def _measure(number: int, cell: MeasuredCell, suite: Suite) -> EntryCell:
    record, ranked = cell.record, cell.record.summary.score
    found = measure_transitions(cell.trajectories, record.target, suite.lead)
    task = installed().task(suite.cells[number - 1].task)
    return EntryCell(
        number=number,
        model=record.model,
        plan=record.plan,
        survival=survival_curve(found.reached.times, found.reached.solved),
        times=CellTimes(found.reached, cell.budget, record.flops_per_sample),
        summary=record.summary,
        transitions=found.transitions,
        stages=found.stages,
        lead=found.lead,
        longest=longest_of(cell, set_lengths(task)),
        gap=train_gap(cell),
        delay=delay(cell),
        curve=_curve(cell),
        compute=record.compute,
        environment=record.environment,
        references=record.mean_levels(ranked),
    )


def _curve(cell: MeasuredCell) -> Curve:
    ranked = cell.trajectories.ranked
    samples, (low, median, high) = cell.trajectories.quantiles(ranked, [0.1, 0.5, 0.9])
    return Curve(samples, median, low, high)
