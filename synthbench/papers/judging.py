"""The claims of a paper study, each held against what is kept of its grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.kept import AnyKept, KeptStudy
from synthbench.plan.paper_study import StatedClaim, located_in
from synthbench.results.results import Results

if TYPE_CHECKING:
    from synthbench.claims import Claim, Judgement

CONFIDENCE = 0.95
"""That no claim of a study is wrongly said to hold."""
PARTLY = "not all is run: "
"""Before the reason why a claim has no verdict, where more seeds or cells may give it one."""
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
    probability `CONFIDENCE`: a grid's share of the error is that of its claims (Bonferroni). A
    claim whose condition no replica meets has no verdict. Raises ConfigurationError or
    UnknownNameError, with the line, for one that cannot be judged although every cell is run.
    """
    pairs = [(claim, grid) for claim in kept.study.claims for grid in kept.study.grids_of(claim)]
    found: dict[tuple[str, str], JudgedClaim] = {}
    for name in dict.fromkeys(grid for _, grid in pairs):
        own = [claim for claim, grid in pairs if grid == name]
        each = (1 - CONFIDENCE) / len(pairs)
        for one in _on_grid(own, kept, kept.grids[name], each, judge):
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
    claims: Sequence[StatedClaim], study: KeptStudy, kept: AnyKept, error: float, judge: Judge
) -> list[JudgedClaim]:
    """error: probability that the judgement of one claim may be wrong."""
    from synthbench.claims import Claim

    if not len(kept.results):
        return [JudgedClaim(claim, kept.name, None, kept.absent) for claim in claims]
    stated = [Claim(**claim.model_dump(exclude={"grid"})) for claim in claims]
    try:
        verdicts = judge(stated, kept.results, 1 - error * len(claims))
        return [_judged(c, kept, v) for c, v in zip(claims, verdicts, strict=True)]
    except (ConfigurationError, UnknownNameError):
        # One asks for what is not kept; the others can be judged alone, as strictly.
        return [
            _alone(claim, partial(judge, [given], kept.results, 1 - error), study, kept)
            for claim, given in zip(claims, stated, strict=True)
        ]


def _alone(
    claim: StatedClaim, judgement: Callable[[], list[Judgement]], study: KeptStudy, kept: AnyKept
) -> JudgedClaim:
    """A claim by itself; judgement: asks for it, and raises where it cannot be judged."""
    from synthbench.claims.sample import NoReplicaError

    try:
        (verdict,) = judgement()
    except NoReplicaError as reason:
        # No seed may have solved the task: that is a finding, and no mistake of the study's.
        return JudgedClaim(claim, kept.name, None, f"{'' if kept.is_whole else PARTLY}{reason}")
    except (ConfigurationError, UnknownNameError) as reason:
        # A cell that is missing may have the column; more seeds of those that are there have not.
        if not kept.missing:
            path = "claims", study.study.claims.index(claim), "quantity"
            raise located_in(study.study, path, reason) from None
        return JudgedClaim(claim, kept.name, None, f"{PARTLY}{reason}")
    return _judged(claim, kept, verdict)


def _judged(claim: StatedClaim, kept: AnyKept, judgement: Judgement) -> JudgedClaim:
    part = f"{len(kept.results)} of {kept.planned} cells" if kept.missing else ""
    return JudgedClaim(claim, kept.name, judgement, part=part)
