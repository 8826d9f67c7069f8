"""Numbers as people read them, with no more digits than their interval supports."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthbench.metrics.estimate import Estimate

PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_count(value: float) -> str:
    """Three significant digits with an SI prefix.

    >>> format_count(40_123), format_count(1_280_000), format_count(12)
    ('40.1k', '1.28M', '12')
    """
    text = _with_prefix(value, 10.0 ** (_magnitude(value) - 2))
    number, prefix = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "")
    # An exact 12 or 320k is not 12.0 or 320.0k.
    return (number.split(".")[0] if float(number).is_integer() else number) + prefix


def format_time_to_target(estimate: Estimate, budget: float | None) -> tuple[str, str]:
    """Value and interval of a censored time; one that never came lies beyond the budget.

    budget: where it is censored; None writes `> budget`.

    >>> from synthbench.metrics.estimate import Estimate
    >>> format_time_to_target(Estimate(value=1280, low=1210, high=1360), 640_000)
    ('1.28k', '[1.21k, 1.36k]')
    >>> format_time_to_target(Estimate(value=None, low=None, high=None), 640_000)
    ('> 640k', '')
    """
    beyond = f"> {'budget' if budget is None else format_count(budget)}"
    if estimate.value is None and estimate.low is None:
        return beyond, ""
    place = _place(estimate)

    def end(number: float | None) -> str:
        return beyond if number is None else _with_prefix(number, place)

    return end(estimate.value), f"[{end(estimate.low)}, {end(estimate.high)}]"


def format_estimate(estimate: Estimate, missing: str = "-") -> tuple[str, str]:
    """Value and interval of a plain number: ("0.88", "[0.65, 1.00]"); an open end is `...`."""
    if estimate.value is None and estimate.low is None:
        return missing, ""
    decimals = max(0, -_exponent(_place(estimate)))

    def end(number: float | None) -> str:
        return "..." if number is None else f"{number:z.{decimals}f}"

    value = missing if estimate.value is None else end(estimate.value)
    return value, f"[{end(estimate.low)}, {end(estimate.high)}]"


def format_ratio(estimate: Estimate) -> tuple[str, str]:
    """Like `format_estimate`, with `< 0.12` or `> 8.1` where only a bound is known."""
    if estimate.value is not None or estimate.low is None:
        return format_estimate(estimate)
    if estimate.high is not None:
        return f"< {format_count(estimate.high)}", ""
    return (f"> {format_count(estimate.low)}" if estimate.low > 0 else "-"), ""


def format_p_value(p: float, *, name: bool = False) -> str:
    """`0.031`, `< 0.001`; with its name `p = 0.031`, `p < 0.001`."""
    text = "< 0.001" if p < 0.001 else f"{p:.2g}"
    return text if not name else f"p {text}" if p < 0.001 else f"p = {text}"


def format_seconds(seconds: float) -> str:
    """`2.1 s`, `139 s`, `45 min`, `3.2 h`: never wider than seven characters."""
    if seconds < 999.5:
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def _place(estimate: Estimate) -> float:
    """The decimal place to round to: two digits of the interval's width, at most three in all.

    An interval with an open end is judged by the side that is known.
    """
    known = [end for end in (estimate.low, estimate.value, estimate.high) if end is not None]
    width, largest = max(known) - min(known), max(abs(end) for end in known)
    if estimate.low is None or estimate.high is None:
        width *= 2
    finest = _magnitude(largest) - 2
    return float(10.0 ** (max(_magnitude(width) - 1, finest) if width > 0 else finest))


def _magnitude(value: float) -> int:
    """Power of ten of the leading digit, once rounded to three digits."""
    return floor(log10(float(f"{abs(value):.2e}"))) if value else 0


def _exponent(place: float) -> int:
    return round(log10(place))


def _with_prefix(value: float, place: float) -> str:
    """A number rounded to a decimal place, in the largest prefix that fits."""
    if value == 0:
        return "0"
    rounded = round(value, -_exponent(place))
    size, prefix = next((p for p in PREFIXES if rounded >= p[0]), (1.0, ""))
    decimals = max(0, _exponent(size) - _exponent(place))
    return f"{rounded / size:.{decimals}f}{prefix}"
