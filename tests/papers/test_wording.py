"""How a judgement is put into words: its numbers, and what would decide what is undecided."""

from __future__ import annotations

from math import inf, nan

import pytest

import synthbench as sb
from synthbench.claims import Judgement, Verdict
from synthbench.papers.judging import JudgedClaim
from synthbench.papers.report.wording import ShownClaim, number_text, shown_claim
from synthbench.plan.paper_study import PaperStudy

pytestmark = pytest.mark.usefixtures("stand_in_claims")


def undecided(study: PaperStudy, **found: object) -> ShownClaim:
    """The last claim, undecided."""
    claim = sb.Claim(**study.claims[-1].model_dump(exclude={"grid"}))
    plain = {"value": 1.0, "low": 0.5, "high": 1.5, "best": 1.0, "seeds": 8, "seeds_needed": None}
    judgement = Judgement(claim=claim, verdict=Verdict.UNDECIDED, **{**plain, **found})
    return shown_claim(JudgedClaim(study.claims[-1], "released", judgement))


@pytest.mark.parametrize(
    ("found", "remark"),
    [
        ({"seeds_needed": 46_517}, "about 47,000 seeds would tell"),
        ({"seeds_needed": 9}, "about 9 seeds would tell"),
        ({"seeds": 2, "low": -inf, "high": inf}, "no interval of fewer than 4 seeds"),
        ({"seeds": 0, "value": nan, "low": nan, "high": nan}, "no replica has such a value"),
        ({"value": nan, "low": -inf, "high": inf}, "the value is not defined, or lies beyond the"),
        ({"value": inf, "high": inf}, "not bounded: a larger budget may tell, where more seeds"),
        ({"high": inf}, "not bounded: a larger budget may tell"),
        ({}, "the value lies on the threshold"),
    ],
)
def test_what_would_decide_an_undecided_claim_is_said(found, remark, study: PaperStudy) -> None:
    assert undecided(study, **found).remark.startswith(remark)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((0.875, 0.71, 0.98), ("0.88", "[0.71, 0.98]")),
        ((19_840.0, 18_200.0, 21_400.0), ("19.8k", "[18.2k, 21.4k]")),
        ((-2_400.0, -2_900.0, -1_800.0), ("-2400", "[-2900, -1800]")),
        ((float("inf"), 19_840.0, float("inf")), ("> budget", "[19.8k, > budget]")),
        ((float("nan"), float("nan"), float("nan")), ("-", "")),
        ((float("inf"),) * 3, ("> budget", "")),
        ((1.0, float("-inf"), float("inf")), ("1.00", "[..., ...]")),
    ],
)
def test_numbers_are_written_as_elsewhere(numbers, text) -> None:
    assert number_text(*numbers) == text
