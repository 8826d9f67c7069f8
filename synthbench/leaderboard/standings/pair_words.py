"""What is said of two submissions side by side, in the terminal and on the site."""

from __future__ import annotations

from math import ceil

from synthbench.leaderboard.standings.pairing import LEVEL, POWER, Pair
from synthbench.metrics.formatting import format_p_value, format_ratio


def detectable_text(ratio: float | None) -> str:
    """`1.21x`, rounded up: what is said to be found is; a dash where nothing would be."""
    if ratio is None:
        return "-"
    digits = 2 if ratio < 10 else 1 if ratio < 100 else 0
    scale = 10**digits
    # A hundredth above is not one more because of the last bit.
    return f"{ceil(ratio * scale - 1e-6) / scale:.{digits}f}x"


def mean_words(pair: Pair) -> str:
    """One sentence on all cells: the ratio, its p-value, and what could have been detected."""
    value, interval = format_ratio(pair.samples)
    known = pair.samples.low is not None
    ratio = " ".join(filter(None, [pair.bound, value, interval if known else ""]))
    start = f"over all cells the first needs {ratio} times the samples of the second"
    if pair.p_value is None or pair.detectable is None:
        return f"{start}; too few seeds to tell them apart"
    return (
        f"{start}, {format_p_value(pair.p_value, name=True)}; a ratio of "
        f"{detectable_text(pair.detectable)} would be found {POWER:.0%} of the time"
    )


def notes(pair: Pair) -> list[str]:
    """What the columns are."""
    count = len(pair.cells)
    return [
        "ratio below 1: the first needs fewer samples; both were trained on the same seeds",
        "p: log-rank test"
        + (f", corrected by Holm's method over {count} cells" if count > 1 else ""),
        f"detectable: the ratio that this test finds {POWER:.0%} of the time at these seeds, at "
        f"the level {LEVEL:g}{f'/{count}' if count > 1 else ''}; -: not even a model that never "
        "solves it",
    ]
