"""How often verdicts are wrong, of simulated studies whose truth is known.

`pytest -n 0 -m slow tests/claims -s` prints the rates of the whole simulation, as
`benchmarks/verdicts.py` does, and tries a few studies of another kind.
"""

from __future__ import annotations

import pytest
from scipy.stats import binom

from benchmarks.verdicts import FAMILY, QUANTITIES, SCENARIOS, SHIFTS, at_truth, power, rates

FEW, MANY = 40, 1000


def most(studies: int, rate: float) -> float:
    """The share that a rate stays below in all but one of 1,000 such simulations."""
    return float(binom(studies, rate).ppf(0.999)) / studies


@pytest.mark.parametrize(
    ("seeds", "scenario"), [(8, "censored"), pytest.param(16, "exact", marks=pytest.mark.slow)]
)
def test_few_studies_have_a_wrong_verdict(seeds: int, scenario: str) -> None:
    found = rates(seeds, FEW, at_truth(list(FAMILY)), SCENARIOS[scenario])
    holds, fails = found["any"]
    assert holds <= most(FEW, 0.025) and fails <= most(FEW, 0.025)


def test_what_is_clearly_so_is_found() -> None:
    found = power(32, 20, SHIFTS)
    assert found["median"] >= 0.8 and found["ratio"] >= 0.4 and found["share"] >= 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [8, 16, 32])
@pytest.mark.parametrize("scenario", ["exact", "censored", "half-censored"])
def test_at_most_one_study_in_twenty_has_a_wrong_verdict(scenario: str, seeds: int) -> None:
    """A wrong "holds" in half of those; of means of skewed numbers docs/claims.md warns."""
    others = [name for name in QUANTITIES if name not in FAMILY and name != "skewed-mean"]
    for family in (list(FAMILY), others):
        found = rates(seeds, MANY, at_truth(family), SCENARIOS[scenario])
        print(f"\n{scenario}, {seeds} seeds:", found)
        holds, fails = found["any"]
        assert holds + fails <= most(MANY, 0.05)
