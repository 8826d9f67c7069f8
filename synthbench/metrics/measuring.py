"""From the trajectories of one cell to all of its metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.cell_context import CellContext
from synthbench.metrics.cell_metrics import CellMetrics, ProbeMetrics, TimeNearReference
from synthbench.metrics.change_points import find_stages
from synthbench.metrics.concordance import held_out_concordance
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.grokking import GrokkingSummary, find_grokking, summarize_grokking
from synthbench.metrics.hidden_progress import find_hidden_progress, last_transition
from synthbench.metrics.mean import mean_estimate, median_estimate
from synthbench.metrics.nearest_reference import score_distances, time_near_references, told_apart
from synthbench.metrics.random_search import RandomSearchTest, random_search_test
from synthbench.metrics.regret import regret
from synthbench.metrics.survival import median_time, restricted_mean
from synthbench.metrics.time_to_target import TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.metrics.transition import Transition, find_transitions
from synthbench.metrics.transitions import summarize_transitions
from synthbench.metrics.variance_split import VarianceSplit, split_variance

Array = NDArray[np.float64]


def measure_cell(trajectories: Trajectories, context: CellContext) -> CellMetrics:
    """Compute every metric of one cell from its trajectories.

    Of a crossed design the variance split uses all replicas, everything else the independent
    ones alone.
    """
    chosen = context.independent()
    if chosen is None:
        return _measure(trajectories, context)
    split = _split(times_to_target(trajectories, context.target), context.initializations)
    part = context.of(chosen)
    return replace(_measure(trajectories.select(chosen), part), variance_split=split)


def _measure(trajectories: Trajectories, context: CellContext) -> CellMetrics:
    target = context.target
    samples = [s.astype(float) for s in trajectories.by_replica("samples")]
    progress = trajectories.by_replica("progress")
    reached = times_to_target(trajectories, target, context.watched)
    shapes = find_transitions(trajectories, target)
    regrets = [
        regret(s, p, target.budget, diverged=gone)
        for s, p, gone in zip(samples, progress, context.diverged, strict=True)
    ]
    stages = [find_stages(s, p) for s, p in zip(samples, progress, strict=True)]
    last = [last_transition(shape, found) for shape, found in zip(shapes, stages, strict=True)]
    counts = Counter(len(found.transitions) for found in stages)
    return CellMetrics(
        reached=reached,
        # Within what was watched: beyond it nobody is seen to be unsolved.
        restricted_mean=restricted_mean(reached.times, reached.solved, float(context.ends().max())),
        regret=mean_estimate(np.array(regrets)).within(0.0, 1.0),
        transitions=summarize_transitions(shapes, context.ends()),
        transition_counts=dict(sorted(counts.items())),
        near=_near(samples, trajectories.by_replica(trajectories.ranked), context),
        random_search=_random_search(reached, context),
        probes={
            name: _measure_probe(samples, trajectories.by_replica(name), last, context)
            for name in trajectories.probes
        },
        variance_split=None,
        grokking=_grokking(trajectories, context),
    )


def _grokking(trajectories: Trajectories, context: CellContext) -> GrokkingSummary | None:
    if "train_progress" not in trajectories.table.column_names:
        return None
    columns = (trajectories.by_replica(n) for n in ("samples", "train_progress", "progress"))
    hold = context.target.hold
    found = [find_grokking(s, t, f, hold=hold) for s, t, f in zip(*columns, strict=True)]
    return summarize_grokking(found, context.ends())


def _random_search(reached: TimesToTarget, context: CellContext) -> RandomSearchTest | None:
    # Its law is that of times cut at one budget.
    if not reached.all_watched:
        return None
    # The last point is the end of the budget up to less than one step.
    seen = reached.within(context.points[-1])
    return random_search_test(seen.times, seen.solved, context.points, context.step)


def _near(
    samples: Sequence[Array], scores: Sequence[Array], context: CellContext
) -> dict[str, TimeNearReference]:
    references, ends = context.references, context.ends()
    names = told_apart(references, context.ceiling)
    times = [
        time_near_references(s, score_distances(score, {name: levels[name] for name in names}))
        for s, score, levels in zip(samples, scores, references, strict=True)
    ]
    found = {}
    for name in names:
        firsts = [t[name].first for t in times]
        found[name] = TimeNearReference(
            replicas=sum(first is not None for first in firsts),
            first=median_time(firsts, ends),
            share=mean_estimate(np.array([t[name].share for t in times])).within(0.0, 1.0),
        )
    return found


def _measure_probe(
    samples: Sequence[Array],
    values: Sequence[Array],
    last: Sequence[tuple[Transition, float]],
    context: CellContext,
) -> ProbeMetrics:
    leads = [
        found
        for s, v, (shape, since) in zip(samples, values, last, strict=True)
        if (found := find_hidden_progress(s, v, shape, context.target.hold, since)) is not None
    ]
    shapes = [shape for shape, _ in last]
    fractions = [h.plateau_fraction for h in leads if h.plateau_fraction is not None]
    moment, ends = _moment(shapes, context.ends()), context.ends()
    judged = None if moment is None else _predict(samples, values, shapes, moment, ends)
    return ProbeMetrics(
        lead=median_estimate(np.array([h.lead for h in leads])),
        plateau_fraction=median_estimate(np.array(fractions)),
        concordance=judged,
        moment=moment,
    )


def _moment(shapes: Sequence[Transition], ends: Array) -> float | None:
    """Half the median onset: well within the plateau of most replicas."""
    median = median_time([t.onset for t in shapes], ends).value
    return None if median is None or median <= 0 else median / 2


def _predict(
    samples: Sequence[Array],
    values: Sequence[Array],
    shapes: Sequence[Transition],
    moment: float,
    ends: Array,
) -> Estimate | None:
    """Held-out concordance of the values at `moment` samples with the midpoints after it.

    ends: (R,) samples at which a midpoint that never came is censored.
    """
    early, midpoints, watched = [], [], []
    for s, v, shape, end in zip(samples, values, shapes, ends, strict=True):
        index = int(np.searchsorted(s, moment, side="right")) - 1
        before = shape.onset is None or shape.onset > moment
        if before and s[-1] >= moment and np.isfinite(v[index]):
            early.append(v[index])
            midpoints.append(np.nan if shape.midpoint is None else shape.midpoint)
            watched.append(end)
    if len(early) < 2:
        return None
    times = np.array(midpoints)
    happened = np.isfinite(times)
    censored = np.where(happened, times, np.array(watched))
    return held_out_concordance(np.array(early), censored, happened)


def _split(reached: TimesToTarget, initializations: int | None) -> VarianceSplit | None:
    """The variance split of a crossed design in which every replica solved the task, not alike."""
    if initializations is None or not reached.solved.all():
        return None
    table = reached.times.reshape(initializations, -1)
    spread = np.ptp(table) > 0
    return split_variance(table) if min(table.shape) > 1 and spread else None
