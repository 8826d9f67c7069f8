"""What a leaderboard shows of a cell: times to target, transitions, their number, one lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthbench.metrics.change_points import find_stages
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.hidden_progress import find_hidden_progress, last_transition
from synthbench.metrics.mean import median_estimate
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.metrics.transition import find_transitions
from synthbench.metrics.transitions import TransitionSummary, summarize_transitions


@dataclass(frozen=True)
class TransitionMetrics:
    """The same numbers as in `CellMetrics`, without those that a leaderboard does not show.

    stages: median number of transitions of a replica. lead: of one probe value over the score,
    in decades; None where none was asked for.
    """

    reached: TimesToTarget
    transitions: TransitionSummary
    stages: Estimate
    lead: Estimate | None


def measure_transitions(
    trajectories: Trajectories, target: Target, probe: str | None = None
) -> TransitionMetrics:
    """Measure one cell; probe: a column such as `weight-movement/l2`."""
    samples = [s.astype(float) for s in trajectories.by_replica("samples")]
    progress = trajectories.by_replica("progress")
    shapes = find_transitions(trajectories, target)
    stages = [find_stages(s, p) for s, p in zip(samples, progress, strict=True)]
    lead = None
    if probe is not None:
        last = [last_transition(shape, found) for shape, found in zip(shapes, stages, strict=True)]
        values = trajectories.by_replica(probe)
        found = [
            find_hidden_progress(s, v, shape, target.hold, since)
            for s, v, (shape, since) in zip(samples, values, last, strict=True)
        ]
        lead = median_estimate(np.array([one.lead for one in found if one is not None]))
    return TransitionMetrics(
        reached=times_to_target(trajectories, target),
        transitions=summarize_transitions(shapes, target.budget),
        stages=median_estimate(np.array([len(s.transitions) for s in stages], float)),
        lead=lead,
    )
