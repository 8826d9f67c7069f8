"""Verdicts and intervals: closed forms, what changes nothing, and what must."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats

from synthbench.claims import Claim, Judgement, Verdict, check_quantity
from synthbench.claims.judging import judge_replicas, seeds_needed
from synthbench.claims.side import Side
from synthbench.claims.spread import is_spread
from synthbench.errors import ConfigurationError, UnknownNameError
from tests.claims.simulated import claim, replicas, verdict

DRAWS = np.random.default_rng(5)


def lognormal(seeds: int, draws: np.random.Generator = DRAWS) -> np.ndarray:
    return 40 * np.exp(0.4 * draws.normal(size=seeds))


# What is claimed.


@pytest.mark.parametrize(
    ("holds", "inside", "outside", "between"),
    [
        ("> 1", (1.01, math.inf), (-math.inf, 1), (1, 2)),
        (">= 1", (1, math.inf), (0, 0.99), (0.99, 2)),
        ("< -1.5e0", (-math.inf, -1.6), (-1.5, 3), (-2, -1.5)),
        ("<= .5", (-3, 0.5), (0.51, math.inf), (0.5, 0.6)),
        ("in [2.5, 3.5]", (2.5, 3.5), (3.6, 9), (2.4, 3)),
        ("in [2.5,3.5]", (3, 3), (-math.inf, 2.4), (-math.inf, math.inf)),
    ],
)
def test_sides(
    holds: str,
    inside: tuple[float, float],
    outside: tuple[float, float],
    between: tuple[float, float],
) -> None:
    side = Side.read(holds)
    assert (side.holds_all(*inside), side.holds_none(*inside)) == (True, False)
    assert (side.holds_all(*outside), side.holds_none(*outside)) == (False, True)
    assert (side.holds_all(*between), side.holds_none(*between)) == (False, False)
    assert not side.holds_all(-math.inf, math.inf)


@pytest.mark.parametrize("holds", ["1", "> one", "in [1]", "in [2, 1]", "== 1", "> 1 and < 2", ""])
def test_what_is_no_side(holds: str) -> None:
    with pytest.raises(ValidationError, match=r"claimed side|no range"):
        claim("share(censored)", holds)


def test_a_claim_is_checked_where_it_is_made() -> None:
    with pytest.raises(ValidationError, match="did you mean"):
        claim("medain(x)")
    with pytest.raises(ValidationError, match="name"):
        Claim(name="Not a slug", says=".", source=".", quantity="1", holds="> 0")
    with pytest.raises(ConfigurationError, match="no function"):
        check_quantity("medain(x)")


# Verdicts.


def test_verdicts() -> None:
    times = replicas({"time": [20.0, 21, 22, 23, 24, 25, 26, 27] * 4})
    median = "median(samples_to_target)"
    judged = verdict(median, "> 10", times)
    assert judged.verdict is Verdict.HOLDS and judged.value == 23
    assert judged.seeds == 32 and judged.best == 27 and judged.seeds_needed is None
    assert 20 <= judged.low <= 23 <= judged.high <= 27
    judged = verdict(median, "> 26.5", times)
    assert judged.verdict is Verdict.BEST_SEED_ONLY and judged.best == 27
    judged = verdict(median, "> 30", times)
    assert judged.verdict is Verdict.DOES_NOT_HOLD and judged.best == 27
    judged = verdict(median, "in [22.5, 30]", times)
    assert judged.verdict is Verdict.UNDECIDED and judged.best == 26
    assert judged.seeds_needed is not None and judged.seeds_needed > 32
    assert verdict(median, "in [10, 30]", times).verdict is Verdict.HOLDS
    assert str(Verdict.BEST_SEED_ONLY.value) == "holds for the best seed only"


def test_no_best_seed_where_one_seed_has_no_value() -> None:
    x = DRAWS.normal(size=40)
    judged = verdict("correlation(x, y)", "> 0.5", replicas({"x": x, "y": -x}))
    assert math.isnan(judged.best) and judged.verdict is Verdict.DOES_NOT_HOLD
    judged = verdict("concordance(x, y)", "> 0.5", replicas({"x": x, "y": -x}))
    assert math.isnan(judged.best) and judged.verdict is Verdict.DOES_NOT_HOLD


@pytest.mark.parametrize(
    ("spread", "below"),
    [
        ("quantile(0.9, x) / quantile(0.1, x)", "<= 1.1"),
        ("quantile(0.75, x) - median(x)", "<= 0.1"),
        ("mean(x) / median(x)", "<= 1.1"),
        ("max(quantile(0.9, x, where=x > 0 and n == 1) - median(x, where=n == 1 and x > 0), 0)",
         "< 1"),
        ("quantile(0.9, `x`) - median(`x`)", "< 1"),
    ],
)  # fmt: skip
def test_one_seed_says_nothing_of_how_far_seeds_lie_apart(spread: str, below: str) -> None:
    """One seed gives 1, or 0, and would bear out that all are alike."""
    times = replicas({"x": [1.0, 2, 4, 8, 16, 200, 400, 800] * 4, "n": [1] * 32})
    judged = verdict(spread, below, times)
    assert math.isnan(judged.best) and judged.verdict is Verdict.DOES_NOT_HOLD


@pytest.mark.parametrize(
    "quantity",
    [
        "quantile(0.9, x) / quantile(0.1, y)",
        "median(x, where=n == 1) / median(x, where=n == 2)",
        "median(x) + median(x)",
        "min(quantile(0.5, x), median(x))",
        "exponent(median(x), by=n)",
    ],
)
def test_what_one_seed_has_is_no_spread(quantity: str) -> None:
    assert not is_spread(quantity)


def test_the_best_seed_is_judged_by_what_is_known_of_it() -> None:
    """A seed that never got there is above its budget, and nobody knows by how much."""
    late = replicas({"time": [*[30.0] * 31, 200]})
    assert verdict("median(samples_to_target)", "> 90", late).verdict is Verdict.BEST_SEED_ONLY
    judged = verdict("median(samples_to_target)", "> 150", late)
    assert judged.verdict is Verdict.DOES_NOT_HOLD and judged.best == 100


def test_beyond_the_budget() -> None:
    """A ratio with a median that is not reached is bounded by the budget, on one side only."""
    columns = {"kind": ["slow"] * 16 + ["fast"] * 16, "time": [500.0] * 16 + [10.0] * 16}
    both = replicas({**columns, "seed_world": [*range(16)] * 2})
    ratio = (
        "median(samples_to_target, where=kind == 'slow')"
        " / median(samples_to_target, where=kind == 'fast')"
    )
    judged = verdict(ratio, "> 9", both)
    assert judged.verdict is Verdict.HOLDS and (judged.low, judged.high) == (10, math.inf)
    assert judged.value == math.inf
    judged = verdict(ratio, "> 11", both)
    assert judged.verdict is Verdict.UNDECIDED and judged.seeds_needed is None
    judged = verdict(f"1 / ({ratio})", "< 0.09", both)
    assert math.isnan(judged.value) and (judged.low, judged.high) == (0, 0.1)


def test_too_few_seeds_bound_nothing() -> None:
    for seeds, bounded in ((3, False), (4, True)):
        judged = verdict("share(censored)", "< 0.99", replicas({"time": [10.0] * seeds}))
        assert judged.seeds == seeds and math.isfinite(judged.low) is bounded
    few = replicas({"n": [1] * 3 + [2] * 9, "time": [10.0] * 12})
    ratio = "mean(time, where=n == 1) / mean(time, where=n == 2)"
    assert verdict(ratio, "> 0", few).low == -math.inf
    assert verdict("share(n == 1) - share(n == 2)", "> -1", few).seeds == 12


def test_a_number_is_judged_as_it_is() -> None:
    judged = verdict("2 + 1", "> 2", replicas({"time": [1.0]}))
    assert judged.verdict is Verdict.HOLDS and (judged.low, judged.high) == (3, 3)


def test_seeds_needed() -> None:
    side = Side.read("> 1")
    # Half a width of 0.4 towards the threshold must become 0.2: four times the seeds.
    assert seeds_needed(1.2, 0.8, 2.0, side, 16) == 64
    assert seeds_needed(0.8, 0.5, 1.2, side, 16) == 64
    assert seeds_needed(1.0, 0.8, 1.2, side, 16) is None
    assert seeds_needed(1.2, -math.inf, 2, side, 16) is None
    assert seeds_needed(math.nan, 0, 2, side, 16) is None
    assert seeds_needed(1.2, 1.0, 1.3, side, 16) == 17
    assert seeds_needed(2.1, 1.7, 2.3, Side.read("in [2, 3]"), 10) == 160


def test_with_so_many_seeds_it_is_about_decided() -> None:
    """The forecast is of the seeds at which half of all studies decide: here nearly all do."""
    draws = np.random.default_rng(8)
    needed = []
    for _ in range(20):
        judged = verdict("mean(x)", "> 0", replicas({"x": 0.5 + draws.normal(size=12)}))
        if judged.seeds_needed is not None and judged.value > 0:
            needed.append(judged.seeds_needed)
    typical = int(np.median(needed))
    # From 12 seeds Student's interval at 95% is below 0.5 with about 18.
    assert 12 < typical < 60
    decided = [
        verdict("mean(x)", "> 0", replicas({"x": 0.5 + draws.normal(size=2 * typical)})).verdict
        for _ in range(20)
    ]
    assert decided.count(Verdict.HOLDS) >= 12


# Intervals.


@pytest.mark.parametrize("hits", [0, 1, 8, 15, 16])
def test_a_share_has_the_interval_of_jeffreys(hits: int) -> None:
    met = replicas({"x": np.arange(16) < hits})
    judged = verdict("share(x)", "> 0", met)
    low = stats.beta(max(hits, 1e-9), 16 - hits + 0.5).ppf(0.025)
    high = stats.beta(hits + 0.5, max(16 - hits, 1e-9)).ppf(0.975)
    assert judged.low == pytest.approx(low, abs=0.02)
    assert judged.high == pytest.approx(high, abs=0.02)
    if hits == 16:
        assert judged.low == pytest.approx(0.86, abs=0.015) and judged.high == 1


def test_the_mean_of_a_condition_is_a_share() -> None:
    of = replicas({"x": [True] * 16})
    share, mean = (verdict(f"{name}(x)", "> 0.9", of) for name in ("share", "mean"))
    assert (share.low, share.high) == (mean.low, mean.high)
    assert share.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("seeds", [8, 16, 32])
def test_a_median_has_the_interval_of_order_statistics(seeds: int) -> None:
    """The share of the law below each end is that of Jeffreys' interval at one half."""
    ranks = replicas({"time": np.arange(1.0, seeds + 1)})
    judged = verdict("median(samples_to_target)", "> 0", ranks)
    places = np.arange(seeds + 1)
    below = stats.beta(places + 0.5, seeds - places + 0.5).cdf(0.5)
    assert judged.low == pytest.approx(1 + np.argmax(below < 0.975), abs=1)
    assert judged.high == pytest.approx(np.argmax(below < 0.025), abs=1)


@pytest.mark.parametrize("seeds", [6, 12, 40])
def test_a_mean_has_about_the_interval_of_student(seeds: int) -> None:
    x = DRAWS.normal(size=seeds)
    judged = verdict("mean(x)", "> 0", replicas({"x": x}))
    half = stats.t(seeds - 1).ppf(0.975) * stats.sem(x)
    assert judged.value == pytest.approx(x.mean())
    assert judged.high - judged.low == pytest.approx(2 * half, rel=0.12)


def test_claims_that_are_judged_together_have_wider_intervals() -> None:
    of = replicas({"time": lognormal(32)})
    one = claim("mean(time)", "> 30")
    alone = judge_replicas([one], of)[0]
    others = [claim("mean(time)", "> 30", name=f"other-{i}") for i in range(9)]
    together = judge_replicas([one, *others], of)[0]
    lone = judge_replicas([one], of, 0.995)[0]
    assert together.low < alone.low < alone.high < together.high
    assert (together.low, together.high) == (lone.low, lone.high)
    assert judge_replicas([], of) == []


def test_seeds_are_resampled_as_wholes() -> None:
    """What two cells have in common with a seed cancels in their ratio."""
    world = np.exp(DRAWS.normal(size=24))
    own = [world * np.exp(0.05 * DRAWS.normal(size=24)) for _ in range(2)]
    columns = {"n": [1] * 24 + [2] * 24, "time": np.concatenate(own)}
    ratio = "median(time, where=n == 1) / median(time, where=n == 2)"
    paired = verdict(ratio, "> 0", replicas({**columns, "seed_world": [*range(24)] * 2}))
    apart = verdict(ratio, "> 0", replicas(columns))
    assert paired.value == apart.value
    assert (paired.high - paired.low) < 0.5 * (apart.high - apart.low)


QUANTITIES = [
    "median(samples_to_target, where=n == 1) / median(samples_to_target, where=n == 2)",
    "mean(x)",
    "share(x > 0)",
    "quantile(0.75, time)",
    "concordance(x, samples_to_target)",
    "correlation(x, time)",
    "superiority(x, where=n == 1, than=n == 2)",
    "exponent(median(time), by=n)",
]


def columns_of(seeds: int) -> pd.DataFrame:
    draws = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "n": [1] * seeds + [2] * seeds,
            "seed_world": [*range(seeds)] * 2,
            "time": lognormal(2 * seeds, draws),
            "x": draws.normal(size=2 * seeds),
        }
    )


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_order_of_replicas_changes_nothing(quantity: str) -> None:
    table = columns_of(12)
    mixed = table.sample(frac=1, random_state=3)
    one, other = (
        verdict(quantity, "> 0.1", replicas(each.to_dict("list"))) for each in (table, mixed)
    )
    assert one.verdict is other.verdict
    for name in ("value", "low", "high", "best"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), nan_ok=True)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_copies_of_seeds_narrow(quantity: str) -> None:
    table = columns_of(8)
    copies = [table.assign(seed_world=table["seed_world"] + 8 * i) for i in range(4)]
    few = verdict(quantity, "> 0.1", replicas(table.to_dict("list")))
    many = verdict(quantity, "> 0.1", replicas(pd.concat(copies).to_dict("list")))
    assert many.seeds == 4 * few.seeds
    assert many.high - many.low < few.high - few.low
    assert few.low <= few.value <= few.high and many.low <= many.value <= many.high


def test_a_verdict_is_the_same_at_every_call() -> None:
    of = replicas({"time": lognormal(12)})
    first, second = (verdict("mean(time)", "> 30", of) for _ in range(2))
    assert first == second and isinstance(first, Judgement)


# Errors.


def test_errors() -> None:
    of = replicas({"time": [1.0] * 5})
    with pytest.raises(ConfigurationError, match='two claims are called "it"'):
        judge_replicas([claim("share(censored)"), claim("mean(time)")], of)
    with pytest.raises(ConfigurationError, match="between 0 and 1, got 95"):
        judge_replicas([claim("share(censored)")], of, 95)
    with pytest.raises(UnknownNameError, match="no column"):
        verdict("mean(y)", "> 0", of)
