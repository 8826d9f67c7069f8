"""A judge whose verdicts follow from a claim's name, for tests of what is made of verdicts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType

import pytest

from synthbench.contracts.frozen import Frozen
from synthbench.errors import ConfigurationError
from synthbench.results.results import Results


class Claim(Frozen):
    """The fields of `synthbench.claims.Claim`."""

    name: str
    says: str
    source: str
    quantity: str
    holds: str
    note: str = ""


class Verdict(Enum):
    HOLDS = "holds"
    BEST = "holds for the best seed only"
    FAILS = "does not hold"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    claim: Claim
    value: float
    low: float
    high: float
    best: float
    seeds: int
    verdict: Verdict
    seeds_needed: int | None


@dataclass
class StandInJudge:
    """Finds 0.93, of as many seeds as there are.

    A claim called `holds`, `best`, `fails` or `undecided` is judged so, and `missing` cannot be
    judged. asked: names of claims and the confidence of every call.
    """

    asked: list[tuple[list[str], float]] = field(default_factory=list)

    def __call__(
        self, claims: Sequence[Claim], results: Results, confidence: float
    ) -> list[Judgement]:
        self.asked.append(([claim.name for claim in claims], confidence))
        if any(claim.name == "missing" for claim in claims):
            raise ConfigurationError("no replica meets n == 40")
        return [self._judgement(claim, results) for claim in claims]

    def _judgement(self, claim: Claim, results: Results) -> Judgement:
        verdict = Verdict[claim.name.upper()]
        needed = 64 if verdict is Verdict.UNDECIDED else None
        seeds = min(len(cell.record.replicas) for cell in results)
        return Judgement(claim, 0.93, 0.86, 0.981, 1.25, seeds, verdict, needed)


def check_quantity(text: str) -> None:
    if "(" not in text:
        raise ConfigurationError(f"cannot read the quantity {text!r}: no function")


def judge(
    claims: Sequence[Claim], results: Results, *, confidence: float = 0.95
) -> list[Judgement]:
    return StandInJudge()(claims, results, confidence)


@pytest.fixture
def stand_in_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """`synthbench.claims`, for the length of a test."""
    module = ModuleType("synthbench.claims")
    for each in (Claim, Judgement, Verdict, check_quantity, judge):
        setattr(module, each.__name__, each)
    monkeypatch.setitem(sys.modules, "synthbench.claims", module)
    monkeypatch.setattr("synthbench.claims", module, raising=False)
