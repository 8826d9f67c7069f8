"""Numbers as people read them."""

from __future__ import annotations

from synthbench.metrics.estimate import Estimate

PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_count(value: float) -> str:
    """Three significant digits with an SI prefix: 40.1k, 1.28M, 640k, 12."""
    for size, prefix in PREFIXES:
        if value >= size * 0.9995:
            return f"{_three_digits(value / size)}{prefix}"
    return _three_digits(value)


def format_time_to_target(estimate: Estimate, budget: float) -> tuple[str, str]:
    """Value and interval of a censored median: ("40.1k", "[38.2k, 41.9k]") or ("> 640k", "")."""

    def end(number: float | None) -> str:
        return f"> {format_count(budget)}" if number is None else format_count(number)

    if estimate.value is None and estimate.low is None:
        return end(None), ""
    return end(estimate.value), f"[{end(estimate.low)}, {end(estimate.high)}]"


def format_interval(estimate: Estimate) -> str:
    """`[0.89, 1.00]` for numbers between 0 and 1."""
    return f"[{estimate.low:.2f}, {estimate.high:.2f}]"


def format_seconds(seconds: float) -> str:
    """`2.1 s`, `139 s`, `45 min`, `3.2 h`: never wider than seven characters."""
    if seconds < 999.5:
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    text = f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if float(text).is_integer() else text
