"""Verdicts and numbers of a report, as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, isnan, log10

from synthbench.claims import Judgement, Verdict
from synthbench.claims.judging import FEWEST
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate, format_time_to_target
from synthbench.papers.judging import JudgedClaim
from synthbench.plan.paper_study import StatedClaim

LARGE = 1_000
"""From here on a number is written with a prefix: 19.2k."""
NOT_MEASURED = "not measured"
"""In place of a verdict."""
SYMBOLS = {
    Verdict.HOLDS.value: "✓",
    Verdict.BEST_SEED_ONLY.value: "◐",
    Verdict.DOES_NOT_HOLD.value: "✗",
    Verdict.UNDECIDED.value: "?",
    NOT_MEASURED: "-",
}
"""Of verdicts, in the order in which they are counted."""
STYLES = {
    Verdict.HOLDS: "good",
    Verdict.BEST_SEED_ONLY: "part",
    Verdict.DOES_NOT_HOLD: "bad",
}
"""How the page colours them."""


@dataclass(frozen=True)
class ShownClaim:
    """A row of the table of claims.

    value, interval, best: as they are printed; empty where there is none. remark: what a verdict
    does not say, such as how many seeds would tell, or why more of them would not.
    """

    claim: StatedClaim
    grid: str
    verdict: str
    symbol: str
    style: str
    value: str = ""
    interval: str = ""
    best: str = ""
    seeds: int | None = None
    remark: str = ""


def shown_claim(judged: JudgedClaim) -> ShownClaim:
    """What a report says of a claim."""
    judgement = judged.judgement
    if judgement is None:
        return ShownClaim(
            judged.claim, judged.grid, NOT_MEASURED, SYMBOLS[NOT_MEASURED], "", remark=judged.absent
        )
    verdict = judgement.verdict
    value, interval = number_text(judgement.value, judgement.low, judgement.high)
    remarks = [_undecided(judgement)] if verdict is Verdict.UNDECIDED else []
    if judged.part:
        remarks.append(f"by {judged.part}")
    return ShownClaim(
        judged.claim,
        judged.grid,
        verdict.value,
        SYMBOLS[verdict.value],
        STYLES.get(verdict, ""),
        value,
        interval,
        number_text(judgement.best, judgement.best, judgement.best)[0],
        judgement.seeds,
        "; ".join(remarks),
    )


def _undecided(judgement: Judgement) -> str:
    """What would decide it; where seeds alone would not, why."""
    needed = judgement.seeds_needed
    if needed is not None:
        return f"about {_rounded(needed):,} seeds would tell"
    if not judgement.seeds:
        return "no replica has such a value"
    if judgement.seeds < FEWEST:
        return f"no interval of fewer than {FEWEST} seeds"
    if isnan(judgement.value):
        return "the value is not defined, or lies beyond the budget"
    if not all(map(isfinite, (judgement.value, judgement.low, judgement.high))):
        return "not bounded: a larger budget may tell, where more seeds need not"
    return "the value lies on the threshold"


def _rounded(seeds: int) -> int:
    """To two digits: a forecast knows no more.

    >>> _rounded(64), _rounded(46_517)
    (64, 47000)
    """
    place = max(floor(log10(seeds)) - 1, 0)
    return round(seeds, -place)


def number_text(value: float, low: float, high: float) -> tuple[str, str]:
    """A number and its interval; what is infinite lies beyond what was measured.

    >>> number_text(2.913, 2.61, 3.2), number_text(19_840, 18_200, 21_400)
    (('2.91', '[2.61, 3.20]'), ('19.8k', '[18.2k, 21.4k]'))
    >>> number_text(float("inf"), 19_840, float("inf"))
    ('> budget', '[19.8k, > budget]')
    """
    if isnan(value):
        return "-", ""
    known = [abs(end) for end in (value, low, high) if isfinite(end)]
    estimate = Estimate(value=_finite(value), low=_finite(low), high=_finite(high))
    if not known:
        return "> budget", ""
    if max(known) >= LARGE and min(value, low) >= 0:
        return format_time_to_target(estimate, None)
    return format_estimate(estimate, missing="∞")


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
