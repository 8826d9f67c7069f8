"""The worked example of docs/leaderboard.md, read from the page and computed again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    geometric_mean,
    has_intervals,
    log_flops,
    log_samples,
    pareto_front,
    performance_profile,
    resampled_medians,
    seed_weights,
)
from synthbench.metrics.comparison import ratio_estimate
from synthbench.metrics.time_to_target import TimesToTarget

PAGE = Path(__file__).parents[3] / "docs" / "leaderboard.md"
BUDGET = 100e3


def tables() -> list[list[list[str]]]:
    """The rows of the two tables of the section, heads left out."""
    text = PAGE.read_text().partition("## A worked example")[2].partition("\n## ")[0]
    found: list[list[list[str]]] = []
    for block in text.split("\n\n"):
        if block.startswith("| submission"):
            rows = [[c.strip() for c in line.strip("|").split("|")] for line in block.splitlines()]
            found.append(rows[2:])
    return found


def times(text: str) -> TimesToTarget:
    values = np.array([np.inf if word == "-" else 1000 * float(word) for word in text.split()])
    return TimesToTarget(np.minimum(values, BUDGET), np.isfinite(values))


def test_every_number_of_the_example() -> None:
    given, claimed = tables()
    cells = [
        [CellTimes(times(row[n]), BUDGET, 1000 * float(row[1].rstrip("k"))) for n in (2, 3)]
        for row in given
    ]
    found = [resampled_medians(own, seed_weights(4)) for own in cells]
    prices = np.array([cell.flops_per_sample for cell in cells[0]])
    logs = [log_samples(own, medians) for own, medians in zip(cells, found, strict=True)]
    costs = [log_flops(own, medians, prices) for own, medians in zip(cells, found, strict=True)]
    profile = performance_profile(np.array([medians[:, 0] for medians in found]))
    for index, row in enumerate(claimed):
        assert row[0] == given[index][0]
        medians = " ".join(
            "> 100k" if np.isinf(m) else f"{m / 1000:.0f}k" for m in found[index][:, 0]
        )
        assert row[1] == medians
        ratios = [
            ratio_estimate(one, two, own.reached, other.reached)
            for one, two, own, other in zip(
                found[index], found[0], cells[index], cells[0], strict=True
            )
        ]
        bounds = [np.exp(logs[index] - logs[0])[cell, 0] for cell in (0, 1)]
        shown = [
            f"{bound:.3f}" if ratio.value is not None else f"> {bound:.3f}"
            for ratio, bound in zip(ratios, bounds, strict=True)
        ]
        assert row[2] == " ".join(shown)
        assert row[3] == f"{geometric_mean(logs[index] - logs[0]).value:.3f}"
        assert row[4] == f"{geometric_mean(costs[index] - costs[0]).value:.3f}"
        assert row[5] == " ".join("-" if np.isinf(p) else f"{p:.2f}" for p in profile[index])
    samples, flops = (np.array([float(row[n]) for row in claimed]) for n in (3, 4))
    assert pareto_front(samples, flops).tolist() == [False, False, True]
    assert not has_intervals(4)
