"""A judge whose verdicts follow from a claim's name, for tests of what is made of verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from synthbench.claims import Claim, Judgement, Verdict
from synthbench.errors import ConfigurationError
from synthbench.results.results import Results

VERDICTS = {
    "holds": Verdict.HOLDS,
    "best": Verdict.BEST_SEED_ONLY,
    "fails": Verdict.DOES_NOT_HOLD,
    "undecided": Verdict.UNDECIDED,
}
"""By the name of a claim."""


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
        verdict = VERDICTS[claim.name]
        needed = 64 if verdict is Verdict.UNDECIDED else None
        seeds = min(len(cell.record.replicas) for cell in results)
        return Judgement(claim, 0.93, 0.86, 0.981, 1.25, seeds, verdict, needed)


def judge(
    claims: Sequence[Claim], results: Results, *, confidence: float = 0.95
) -> list[Judgement]:
    return StandInJudge()(claims, results, confidence)


@pytest.fixture
def stand_in_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of `synthbench.claims`, for the length of a test."""
    monkeypatch.setattr("synthbench.claims.judge", judge)
