"""Numbers on a page: what is read, and what a table is sorted by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite

from synthbench.leaderboard.standings.bounds import marked
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.leaderboard.standings.ranking import RankRange
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_ratio,
    format_time_to_target,
)
from synthbench.metrics.longest_solved import LongestSolved
from synthbench.plan.suite import Column


@dataclass(frozen=True, slots=True)
class Shown:
    """A number in a table. key: what it is sorted by, empty where there is nothing."""

    text: str
    interval: str = ""
    key: str = ""


def show_estimate(estimate: Estimate | None) -> Shown:
    """A plain number with its interval."""
    if estimate is None:
        return Shown("-")
    text, interval = format_estimate(estimate)
    return Shown(text, interval if _bounded(estimate) else "", _key(estimate.value))


def show_ratio(estimate: Estimate) -> Shown:
    """A ratio; where only a bound is known it is sorted by the bound."""
    bound = estimate.high if estimate.high is not None else estimate.low
    known = estimate.value if estimate.value is not None else bound
    text, interval = format_ratio(estimate)
    return Shown(text, interval if _bounded(estimate) else "", "" if text == "-" else _key(known))


def show_score(entry: Entry, estimate: Estimate) -> Shown:
    """A geometric mean of ratios, marked where it is only a bound."""
    shown = show_ratio(estimate)
    return replace(shown, text=marked(entry.bound, shown.text))


def show_time(estimate: Estimate, budget: float) -> Shown:
    """A censored time; beyond the budget it comes after all others."""
    value = inf if estimate.value is None else estimate.value
    return Shown(*format_time_to_target(estimate, budget), _key(value))


def show_median(cell: EntryCell) -> Shown:
    """Median samples to target of a cell."""
    return show_time(cell.summary.samples_to_target, cell.times.budget)


def show_count(value: float) -> Shown:
    """A count without interval."""
    return Shown(format_count(value), "", _key(value))


def show_rank(rank: RankRange) -> Shown:
    """The ranks it may have, sorted by the best of them."""
    return Shown(rank.text(), "", f"{rank.low + rank.high / 1e6:.6f}")


def show_solved_cells(entry: Entry) -> Shown:
    """Cells whose median is within the budget."""
    return Shown(f"{entry.solved_cells}/{len(entry.cells)}", "", f"{entry.solved_cells}")


def show_solved(cell: EntryCell) -> Shown:
    """Replicas that solved the task, with the interval of their share."""
    summary = cell.summary
    return Shown(
        f"{summary.solved}/{summary.replicas}",
        format_estimate(summary.success_rate)[1],
        _key(summary.solved / summary.replicas),
    )


def show_sizes(cell: EntryCell) -> tuple[Shown, ...]:
    """Parameters, state size and FLOPs per sample; a dash where the state is unknown."""
    return tuple(Shown("-") if size is None else show_count(size) for size in cell.sizes)


def show_column(cell: EntryCell, column: Column) -> Shown:
    """One of a suite's columns."""
    found = cell.column(column)
    return show_longest(found) if isinstance(found, LongestSolved) else show_estimate(found)


def show_longest(longest: LongestSolved) -> Shown:
    """A length; where most replicas solve the longest tested, that it is at least that."""
    length = longest.length.value
    if length is not None:
        return replace(show_estimate(longest.length), text=f"{length:g}")
    return Shown(f">= {longest.tested}", "", _key(longest.tested))


def ratio_tick(value: float) -> str:
    """A ratio on an axis: 0.05, 1, 20."""
    return f"{value:g}" if value < 10_000 else format_count(value)


def _bounded(estimate: Estimate) -> bool:
    """Whether there is an interval; too few replicas have none."""
    return estimate.low is not None or estimate.high is not None


def _key(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isfinite(value) else "Infinity"
