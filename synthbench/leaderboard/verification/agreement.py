"""Whether a rerun agrees with what was recorded: to the bit, closely, or as far as chance goes.

Data are functions of the seeds, so they must be equal everywhere. Trajectories are equal to the
bit on the same hardware and software. Elsewhere sums are rounded differently, and training
magnifies that: a transition moves by an evaluation point or so on similar machines, and further
on others, where only statistics can tell a forgery from rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isclose

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from synthbench.engine.axis.way import Executor
from synthbench.leaderboard.verification.rerun import Rerun
from synthbench.metrics.comparison import log_rank_p_value
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.records.schema import Environment, Record, ReferenceScore

Array = NDArray[np.float64]

HEIGHT = 0.05
"""Tolerance of a value, as a share of the range that its column has in the replica."""
NEIGHBOURS = 1
"""Tolerance in time, in evaluation points (5% of the samples each)."""
EARLY, EARLY_TOLERANCE = 4, 0.01
"""On any machine the loss at the first evaluation points must agree to this relative error:
rounding has had no time to grow."""
REFERENCE_TOLERANCE = 1e-4
SIGNIFICANT = 0.001
"""P-value, over all cells, below which other times or final scores are no accident."""
PERMUTED_AT_ONCE = 4096


@dataclass(frozen=True)
class Agreement:
    """How a rerun of one cell compares with its record.

    how: "identical", "within tolerance" or "statistically". deviation: largest difference as a
    share of a column's range, beyond what one evaluation point explains. failures: what does
    not agree, then the plugins of other versions, which may be why; none where all agrees.
    """

    how: str
    deviation: float
    failures: tuple[str, ...]


def compare_rerun(
    record: Record, recorded: Trajectories, rerun: Rerun, target: Target, tests: int
) -> Agreement:
    """Hold a rerun against the record and its trajectories.

    tests: in how many cells this is asked, for Bonferroni's correction.
    """
    failures = [*_costs(record, rerun), *_data(record, rerun)]
    chosen = recorded.select(rerun.replicas)
    if not failures and _identical(chosen, rerun.trajectories):
        return Agreement("identical", 0.0, ())
    deviations = _deviations(chosen, rerun.trajectories)
    worst = max(range(len(deviations)), key=lambda index: deviations[index])
    how, deviation = "within tolerance", deviations[worst]
    same = same_setup(record.environment, rerun.environment) and _same_executor(record, rerun)
    if deviation > HEIGHT and same:
        failures.append(
            f"the trajectory of replica {rerun.replicas[worst]} deviates by "
            f"{_shown(deviation)}, on the same hardware and software"
        )
    elif deviation > HEIGHT:
        how = "statistically"
        failures += statistical_failures(record, recorded, rerun, target, tests)
    if failures:
        failures += _other_versions(record.environment, rerun.environment)
    return Agreement(how, deviation, tuple(failures))


def same_setup(one: Environment, other: Environment) -> bool:
    """Whether two environments should give the same trajectories, up to the tolerance.

    Not where a CPU is named by its architecture alone, which many models share.
    """
    if one.device == "cpu" and "(" not in one.device_name:
        return False
    return not _other_versions(one, other) and all(
        getattr(one, name) == getattr(other, name)
        for name in ("synthbench", "torch", "device", "device_name", "threads", "torch_settings")
    )


def _same_executor(record: Record, rerun: Rerun) -> bool:
    """Whether both were replayed, or both compiled; older records were replayed."""
    return (record.compute.executor or Executor.REPLAYED) == rerun.executor


def _other_versions(recorded: Environment, here: Environment) -> list[str]:
    """The plugins that both name in different versions, or with different code."""
    own = {plugin.plugin: plugin.version for plugin in here.plugins}
    return [
        f'plugin "{plugin.plugin}" is recorded as {plugin.version}, and {own[plugin.plugin]} here'
        for plugin in recorded.plugins
        if own.get(plugin.plugin, plugin.version) != plugin.version
    ]


def _shown(deviation: float) -> str:
    return f"{deviation:.0%} of its range" if np.isfinite(deviation) else "its length"


def _costs(record: Record, rerun: Rerun) -> list[str]:
    found = []
    for name in ("parameters", "step_flops"):
        claimed, counted = getattr(record.compute, name), getattr(rerun.facts, name)
        if not isclose(claimed, counted, rel_tol=0.01):
            found.append(f"{name} is recorded as {claimed:,}, counted here: {counted:,}")
    state = record.compute.state_size
    if state is not None and state != rerun.state_size:
        found.append(f"state_size is recorded as {state:,}, here it is {rerun.state_size}")
    return found


def _data(record: Record, rerun: Rerun) -> list[str]:
    found = []
    for index, number in enumerate(rerun.replicas):
        replica = record.replicas[number]
        if replica.data != rerun.data[index]:
            found.append(f"the data of replica {number} are not those of its seeds")
        own = rerun.references[index]
        if not _references_agree(replica.references, own):
            found.append(f"the references of replica {number} score differently here")
    return found


def _references_agree(
    claimed: Mapping[str, Mapping[str, ReferenceScore]],
    found: Mapping[str, Mapping[str, ReferenceScore]],
) -> bool:
    return list(claimed) == list(found) and all(
        _close(claimed[name][metric], value)
        for name, scores in found.items()
        for metric, value in scores.items()
    )


def _close(claimed: ReferenceScore, found: ReferenceScore) -> bool:
    """Whether two scores agree, or two curves at every place; undefined is null."""
    one, two = (np.atleast_1d(np.array(level, float)) for level in (claimed, found))
    return one.shape == two.shape and np.allclose(
        one, two, rtol=REFERENCE_TOLERANCE, atol=1e-6, equal_nan=True
    )


def _identical(claimed: Trajectories, found: Trajectories) -> bool:
    names = claimed.table.column_names
    return names == found.table.column_names and all(
        claimed.table[name].equals(found.table[name]) for name in names if name != "replica"
    )


def _deviations(claimed: Trajectories, found: Trajectories) -> list[float]:
    """The largest deviation of each replica over all columns; inf where its length is another."""
    if claimed.table.column_names != found.table.column_names:
        return [np.inf] * len(found.replicas())
    worst = np.zeros(len(found.replicas()))
    for name in found.table.column_names[len(INDEX) :]:
        for index, (one, other) in enumerate(
            zip(claimed.by_replica(name), found.by_replica(name), strict=True)
        ):
            # Each place of a curve is a column.
            columns = zip(_columns(one), _columns(other), strict=True)
            worst[index] = max(worst[index], *(outside_band(a, b) for a, b in columns))
    return [float(value) for value in worst]


def _columns(values: Array) -> Array:
    """(E,) as (1, E), and a curve (E, T) as (T, E)."""
    return np.atleast_2d(values.T)


def outside_band(claimed: Array, found: Array) -> float:
    """How far a curve leaves the band around another, as a share of the other's range.

    claimed: (E,), found: (F,) at the same evaluation points. The band at a point spans the
    values at the point itself and its neighbours. inf where the lengths differ by more than
    the neighbours allow, or one is undefined where the other is not.
    """
    if abs(len(claimed) - len(found)) > NEIGHBOURS:
        return np.inf
    count = min(len(claimed), len(found))
    known = np.isfinite(claimed[:count])
    if (known != np.isfinite(found[:count])).any():
        return np.inf
    if not known.any():
        return 0.0
    padded = np.pad(claimed, NEIGHBOURS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)[:count]
    low, high = np.nanmin(windows[known], axis=1), np.nanmax(windows[known], axis=1)
    excess = np.maximum(low - found[:count][known], found[:count][known] - high)
    scale = max(float(np.ptp(claimed[:count][known])), 1e-3 * float(np.abs(high).max()), 1e-12)
    return float(max(excess.max(), 0.0) / scale)


def statistical_failures(
    record: Record, recorded: Trajectories, rerun: Rerun, target: Target, tests: int
) -> list[str]:
    """What chance does not explain: the first losses, the times to target, the final scores."""
    found = []
    chosen = recorded.select(rerun.replicas)
    losses = zip(chosen.by_replica("loss"), rerun.trajectories.by_replica("loss"), strict=True)
    for number, (one, other) in zip(rerun.replicas, losses, strict=True):
        count = min(len(one), len(other), EARLY)
        if not np.allclose(one[:count], other[:count], rtol=EARLY_TOLERANCE, atol=1e-6):
            found.append(f"replica {number} begins with another loss")
    claimed, again = times_to_target(recorded, target), times_to_target(rerun.trajectories, target)
    level = SIGNIFICANT / tests / 2
    if (p := times_p_value(again, claimed, level)) < level:
        found.append(f"the times to target differ from the recorded ones (p = {p:.1g})")
    finals = [_finals(t, record.summary.score) for t in (rerun.trajectories, recorded)]
    if (p := _rank_test(finals, again, claimed)) < level:
        found.append(f"the final scores differ from the recorded ones (p = {p:.1g})")
    return found


def times_p_value(again: TimesToTarget, claimed: TimesToTarget, level: float) -> float:
    """Log-rank test of a few rerun replicas against all recorded ones.

    Two against 32 are no case for its normal approximation, which would then fail honest records
    up to thirty times as often as it says. So where that approximation is below the level, the
    groups are permuted at random, 20 / level times; the smaller tail is doubled.
    Source: the log-rank statistic as a sum of scores, Peto & Peto 1972.
    """
    approximate = log_rank_p_value(again, claimed)
    if approximate >= level:
        return approximate
    times = np.concatenate([again.times, claimed.times])
    solved = np.concatenate([again.solved, claimed.solved])
    events = np.unique(times[solved])
    deaths = ((times[:, None] == events) & solved[:, None]).sum(axis=0)
    reached = times[:, None] >= events
    scores = solved - reached @ (deaths / reached.sum(axis=0))
    few, draws = len(again.times), np.random.default_rng(0)
    observed = scores[:few].sum()
    as_late, as_early, rounds = 1, 1, ceil(20 / level / PERMUTED_AT_ONCE)
    for _ in range(rounds):
        permuted = draws.permuted(np.tile(scores, (PERMUTED_AT_ONCE, 1)), axis=1)
        sums = permuted[:, :few].sum(axis=1)
        as_late += int((sums <= observed + 1e-9).sum())
        as_early += int((sums >= observed - 1e-9).sum())
    tail = min(as_late, as_early) / (1 + rounds * PERMUTED_AT_ONCE)
    return max(approximate, min(2 * tail, 1.0))


def _finals(trajectories: Trajectories, score: str) -> Array:
    return np.array([scores[-1] for scores in trajectories.by_replica(score)])


def _rank_test(finals: Sequence[Array], again: TimesToTarget, claimed: TimesToTarget) -> float:
    """Mann-Whitney of the final scores of unsolved replicas; solved ones end at the target."""
    one, two = finals[0][~again.solved], finals[1][~claimed.solved]
    if not len(one) or not len(two):
        return 1.0
    return float(mannwhitneyu(one, two).pvalue)
