"""The claims of a paper study, each held against what is kept of its grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from synthbench.errors import ConfigurationError
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.kept import AnyKept, KeptStudy
from synthbench.plan.paper_study import StatedClaim
from synthbench.results.results import Results

if TYPE_CHECKING:
    from synthbench.claims import Claim, Judgement

CONFIDENCE = 0.95
"""That no claim of a study is wrongly said to hold."""
Judge: TypeAlias = "Callable[[Sequence[Claim], Results | MeasuredRows, float], list[Judgement]]"
"""From claims, the results of their grid and a confidence for all of them to judgements."""


@dataclass(frozen=True)
class JudgedClaim:
    """A claim on one grid.

    judgement: None where there is nothing to judge by, for the reason `absent`. part: of a grid
    that is not run whole, what of it there is, as in `2 of 3 cells`.
    """

    claim: StatedClaim
    grid: str
    judgement: Judgement | None
    absent: str = ""
    part: str = ""


def judged(kept: KeptStudy, judge: Judge) -> list[JudgedClaim]:
    """Every claim on every grid that it is about, in the order of the file.

    judge: such as `synthbench.claims.judge`. All together are right with the
    probability `CONFIDENCE`: a grid's share of the error is that of its claims (Bonferroni).
    """
    pairs = [(claim, grid) for claim in kept.study.claims for grid in kept.study.grids_of(claim)]
    found: dict[tuple[str, str], JudgedClaim] = {}
    for name in dict.fromkeys(grid for _, grid in pairs):
        own = [claim for claim, grid in pairs if grid == name]
        each = (1 - CONFIDENCE) / len(pairs)
        for one in _on_grid(own, kept.grids[name], each, judge):
            found[one.claim.name, name] = one
    return [found[claim.name, grid] for claim, grid in pairs]


def standard_judge(
    claims: Sequence[Claim], results: Results | MeasuredRows, confidence: float
) -> list[Judgement]:
    """`synthbench.claims.judge`."""
    # scipy is loaded when something is judged.
    from synthbench.claims import judge

    return judge(claims, results, confidence=confidence)


def _on_grid(
    claims: Sequence[StatedClaim], kept: AnyKept, error: float, judge: Judge
) -> list[JudgedClaim]:
    """error: probability that the judgement of one claim may be wrong."""
    from synthbench.claims import Claim

    if not len(kept.results):
        return [JudgedClaim(claim, kept.name, None, "not run") for claim in claims]
    stated = [Claim(**claim.model_dump(exclude={"grid"})) for claim in claims]
    try:
        verdicts = judge(stated, kept.results, 1 - error * len(claims))
        return [_judged(c, kept, v) for c, v in zip(claims, verdicts, strict=True)]
    except ConfigurationError:
        # One asks for what is not kept; the others can be judged alone, as strictly.
        return [
            _alone(claim, [given], kept, error, judge)
            for claim, given in zip(claims, stated, strict=True)
        ]


def _alone(
    claim: StatedClaim, stated: list[Claim], kept: AnyKept, error: float, judge: Judge
) -> JudgedClaim:
    try:
        (verdict,) = judge(stated, kept.results, 1 - error)
    except ConfigurationError as reason:
        if kept.is_whole:
            raise
        return JudgedClaim(claim, kept.name, None, f"not all is run: {reason}")
    return _judged(claim, kept, verdict)


def _judged(claim: StatedClaim, kept: AnyKept, judgement: Judgement) -> JudgedClaim:
    part = f"{len(kept.results)} of {kept.planned} cells" if kept.missing else ""
    return JudgedClaim(claim, kept.name, judgement, part=part)
