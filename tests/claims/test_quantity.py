"""Quantities against pandas, scipy and numbers worked out by hand; and what is no quantity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthbench.claims import check_quantity
from synthbench.claims.replicas import Replicas
from synthbench.claims.sample import NoReplicaError
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.metrics.concordance import concordance
from synthbench.metrics.survival import kaplan_meier_quantile
from tests.claims.simulated import exact, replicas, value

DRAWS = np.random.default_rng(3)
COUNT = 60
COLUMNS = {
    "n": np.repeat([10, 20, 40], COUNT // 3),
    "kind": np.tile(["a", "b"], COUNT // 2),
    "time": np.repeat([20.0, 40.0, 70.0], COUNT // 3) * np.exp(0.4 * DRAWS.normal(size=COUNT)),
    "x": DRAWS.normal(size=COUNT),
    "plateau": np.where(np.arange(COUNT) % 7 == 0, np.nan, DRAWS.uniform(size=COUNT)),
    "nesterov": np.arange(COUNT) % 3 == 0,
    "size": [32 if i % 2 else "full" for i in range(COUNT)],
}
ALL = replicas(COLUMNS)
TABLE = ALL.table
TIMES, SOLVED = TABLE["time"].to_numpy(), ~TABLE["censored"].to_numpy()


def kaplan_meier(rows: pd.Series, level: float = 0.5) -> float:
    found = kaplan_meier_quantile(TIMES[rows], SOLVED[rows], level)
    assert found.value is not None
    return found.value


TWENTY, TEN = TABLE["n"] == 20, TABLE["n"] == 10


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-log(2)", -np.log(2)),
        ("min(3, 1, 2) + max(4, 5)", 6),
        ("mean(x)", TABLE["x"].mean()),
        ("mean(x, where=n == 20 and kind == 'a')",
         TABLE["x"][TWENTY & (TABLE["kind"] == "a")].mean()),
        ("mean(x, where=n in [10, 40])", TABLE["x"][~TWENTY].mean()),
        ("mean(x, where=10 < n <= 20)", TABLE["x"][TWENTY].mean()),
        ("mean(x, where=size == 'full')", TABLE["x"][TABLE["size"] == "full"].mean()),
        ("mean(x, where=size == 32)", TABLE["x"][TABLE["size"] == 32].mean()),
        ("mean(x, where=nesterov)", TABLE["x"][TABLE["nesterov"]].mean()),
        ("mean(x, where=not nesterov == true)", TABLE["x"][~TABLE["nesterov"]].mean()),
        ("mean(plateau)", TABLE["plateau"].mean()),
        ("mean(x, where=plateau != none)", TABLE["x"][TABLE["plateau"].notna()].mean()),
        ("mean(2 * `x` - n / 10)", (2 * TABLE["x"] - TABLE["n"] / 10).mean()),
        ("mean(max(x, 0))", TABLE["x"].clip(lower=0).mean()),
        ("share(x > 0)", (TABLE["x"] > 0).mean()),
        ("share(censored)", TABLE["censored"].mean()),
        ("share(samples_to_target < inf)", SOLVED.mean()),
        ("share(samples_to_target < 50)", (TIMES < 50).mean()),
        ("share(not x > 0, where=kind == 'b')",
         (TABLE["x"] <= 0)[TABLE["kind"] == "b"].mean()),
        ("before(time, x * 100)", (TIMES < TABLE["x"] * 100).mean()),
        ("median(samples_to_target, where=n == 20)", kaplan_meier(TWENTY)),
        ("quantile(0.25, samples_to_target)", kaplan_meier(TABLE["n"] > 0, 0.25)),
        ("median(samples_to_target, where=n == 20) / median(samples_to_target, where=n == 10)",
         kaplan_meier(TWENTY) / kaplan_meier(TEN)),
        ("median(x)", np.quantile(TABLE["x"], 0.5, method="inverted_cdf")),
        ("quantile(0.9, x)", np.quantile(TABLE["x"], 0.9, method="inverted_cdf")),
        ("exponent(median(time), by=n)",
         np.polyfit(np.log([10, 20, 40]), np.log(
             [np.quantile(TIMES[TABLE["n"] == n], 0.5, method="inverted_cdf")
              for n in (10, 20, 40)]), 1)[0]),
        ("exponent(mean(time, where=kind == 'a') / mean(time, where=kind == 'b'), by=n)",
         np.polyfit(np.log([10, 20, 40]), np.log(
             [TIMES[(TABLE["n"] == n) & (TABLE["kind"] == "a")].mean()
              / TIMES[(TABLE["n"] == n) & (TABLE["kind"] == "b")].mean()
              for n in (10, 20, 40)]), 1)[0]),
        ("slope(mean(time), by=n)",
         np.polyfit([10, 20, 40], TABLE.groupby("n")["time"].mean(), 1)[0]),
        ("slope(mean(time), by=1 / n)",
         np.polyfit([0.1, 0.05, 0.025], TABLE.groupby("n")["time"].mean(), 1)[0]),
        ("monotone(mean(time), by=n)", 1.0),
        ("monotone(mean(x), by=n)",
         stats.kendalltau([1, 2, 3], TABLE.groupby("n")["x"].mean()).statistic),
        ("correlation(x, plateau)", stats.spearmanr(
            TABLE["x"][TABLE["plateau"].notna()], TABLE["plateau"].dropna()).statistic),
        ("correlation(n, x)", stats.spearmanr(TABLE["n"], TABLE["x"]).statistic),
        ("concordance(x, samples_to_target)", concordance(TABLE["x"].to_numpy(), TIMES, SOLVED)),
        ("concordance(n, samples_to_target)", concordance(TABLE["n"].to_numpy(), TIMES, SOLVED)),
        ("superiority(x, where=n == 10, than=n == 20)",
         stats.mannwhitneyu(TABLE["x"][TWENTY], TABLE["x"][TEN]).statistic / 400),
        ("superiority(samples_to_target, where=n == 10, than=n == 40)",
         stats.mannwhitneyu(TIMES[TABLE["n"] == 40], TIMES[TEN]).statistic / 400),
    ],
)  # fmt: skip
def test_against_pandas_and_scipy(quantity: str, expected: float) -> None:
    check_quantity(quantity)
    assert exact(quantity, ALL) == pytest.approx(expected, rel=1e-12)


def test_censored_numbers_are_bounds() -> None:
    slow = replicas({"n": [1, 1, 1, 2, 2, 2], "time": [10, 200, 300, 20, 30, 40]})
    assert value("median(samples_to_target, where=n == 1)", slow) == (100, np.inf)
    assert value("median(samples_to_target, where=n == 2) / median(samples_to_target, where=n==1)",
                 slow) == (0, 0.3)  # fmt: skip
    assert value("mean(samples_to_target, where=n == 1)", slow) == (70, np.inf)
    assert value("share(samples_to_target < 500)", slow) == (4 / 6, 1)
    assert value("monotone(median(samples_to_target), by=n)", slow) == (-1, -1)
    assert value("slope(median(samples_to_target), by=n)", slow) == (-np.inf, -70)
    # Not right-censored any more: the median of both ends.
    assert value("median(1 / samples_to_target, where=n == 1)", slow) == (0, 0.01)
    both = "superiority(samples_to_target, where=n == 1, than=n == 1)"
    assert value(both, slow) == (0.5, 0.5)


def test_medians_of_times_that_were_watched_for_less() -> None:
    """Kaplan and Meier's median, not that of either end."""
    times, solved = np.array([10.0, 20, 30, 40, 50]), np.array([True, False, True, True, False])
    left = replicas({"time": times})
    left.table["censored"] = ~solved
    left.table["samples_to_target"] = np.where(solved, times, np.nan)
    assert exact("median(samples_to_target)", left) == 40
    assert kaplan_meier_quantile(times, solved, 0.5).value == 40


def watched() -> Replicas:
    """Three replicas: one that learns and stops, one that never does, one that forgets."""
    accuracy = [[0.5, 0.7, 1.0], [0.5, 0.5, 0.6, 0.5], [0.5, 1.0, 0.8, np.nan]]
    rows = [
        {"row": row, "samples": 10.0 * index, "accuracy": level}
        for row, levels in enumerate(accuracy)
        for index, level in enumerate(levels)
    ]
    evaluations = pd.DataFrame(rows).assign(half=lambda frame: frame["accuracy"] / 2)
    return replicas(
        {"n": [1, 2, 3], "time": [20, 200, 10], "final_score": [1, 0.5, 0.8]}, evaluations
    )


@pytest.mark.parametrize(
    ("of_replica", "expected"),
    [
        ("when(accuracy >= 0.7)", [20 - 10, (100, np.inf), 10]),
        ("when(accuracy >= 0.99 and samples > 10)", [20, (100, np.inf), (30, np.inf)]),
        ("when(half > 0.3 or n == 2)", [10, 0, 10]),
        ("when(accuracy >= final_score)", [20, 0, 10]),
        ("when(accuracy >= peak(accuracy))", [20, 20, 10]),
        ("first(accuracy)", [0.5, 0.5, 0.5]),
        ("last(accuracy)", [1.0, 0.5, 0.8]),
        ("peak(accuracy - half)", [0.5, 0.3, 0.5]),
        ("at(11, accuracy)", [1.0, 0.6, 0.8]),
        ("at(10, accuracy)", [0.7, 0.5, 1.0]),
        ("at(when(accuracy > 0.55), samples)", [10, 20, 10]),
        ("log(peak(accuracy))", [0, np.log(0.6), 0]),
        # A replica that stopped keeps its last value, to the end of the budget.
        ("at(90, half)", [0.5, 0.25, np.nan]),
        ("at(101, half)", [np.nan, np.nan, np.nan]),
        ("at(when(accuracy > 0.9), half)", [0.5, np.nan, 0.5]),
    ],
)
def test_what_a_replica_was_at_its_evaluations(of_replica: str, expected: list[object]) -> None:
    check_quantity(f"median({of_replica})")
    for n, each in enumerate(expected, start=1):
        found = value(f"median({of_replica}, where=n == {n})", watched())
        np.testing.assert_allclose(found, each if isinstance(each, tuple) else (each, each))


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("", "cannot read the quantity ''"),
        ("median(", "cannot read"),
        ("median(x) > 1", "the claimed side in `holds`"),
        ("x", '"x" is of each replica, a claim of all of them: write median(x)'),
        ("`a/b` + 1", '"`a/b`" is of each replica'),
        ("when(x > 1)", "write median(when(x > 1))"),
        ("medain(x)", 'no function "medain"; did you mean "median"?'),
        ("median(medain(x))", "did you mean"),
        ("median(median(x))", "here stands what a single one has"),
        ("median(when(share(x > 1) > 2))", "here stands what a single one has"),
        ("median()", "write median(X, where=CONDITION)"),
        ("median(x, y)", "write median(X, where=CONDITION)"),
        ("median(x, when=n == 1)", "write median(X, where=CONDITION)"),
        ("median(*x)", "write median(X, where=CONDITION)"),
        ("median(x, **y)", "write median(X, where=CONDITION)"),
        ("superiority(x, where=n == 1)", "write superiority(X, where=CONDITION, than=CONDITION)"),
        ("exponent(median(x))", "write exponent(SUMMARY, by=COLUMN)"),
        ("exponent(x, by=n)", '"x" is of each replica'),
        ("min(1)", "write min(X, Y, ...)"),
        ("quantile(2, x)", "between 0 and 1"),
        ("quantile(x, 0.5)", "between 0 and 1"),
        ("median(at(x))", "write at(SAMPLES, X)"),
        ("median(x, where=n is 1)", "compare with"),
        ("median(x, where=n in 20)", "stands a list"),
        ("median(x ** 2)", '"x ** 2" is not allowed'),
        ("median(x) ** 2", '"median(x) ** 2" is not allowed'),
        ("__import__('os').system('true')", "no function"),
        ("median(x.__class__())", "no function"),
        ("median([x for x in y])", "is not allowed"),
        ("(lambda: 1)()", "no function"),
        ("median(x[0])", "is not allowed"),
        ("'a'", "is not allowed"),
        ("True", "is not allowed"),
        ("-" * 9000 + "1", "cannot read"),
        ("(" * 500 + "1" + ")" * 500, "cannot read"),
    ],
)
def test_what_is_no_quantity_is_refused_in_one_line(quantity: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_quantity(quantity)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("median(x, where=n == 30)", "no replica meets n == 30 (n is 10, 20, 40)"),
        ("median(x, where=kind == 'c' and n > 10)",
         "(kind is a, b; n is 10, 20, 40)"),
        ("superiority(x, where=n == 10, than=n == 11)", "no replica meets n == 11"),
        ("median(x, where=n)", '"n" is no condition; compare it'),
        ("share(n)", '"n" is no condition'),
        ("median(kind)", '"kind" is a text, not a number'),
        ("median(x, where=kind < 'b')", '"kind" is a text, not a number'),
        ("median(x, where=n == '10')", "of n and '10' one is a text"),
        ("exponent(median(x, where=n == 10), by=n)", '"n" has not two values'),
        ("exponent(median(x, where=kind == 'c'), by=n)", "meets kind == 'c' (kind is a, b)"),
        ("exponent(mean(time), by=n - 10)", '"n - 10" is not above 0'),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_results(quantity: str, message: str) -> None:
    check_quantity(quantity)
    with pytest.raises(ConfigurationError) as caught:
        value(quantity, ALL)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_names_are_those_of_the_tables() -> None:
    with pytest.raises(UnknownNameError, match='no column "widht"'):
        value("median(widht)", ALL)
    with pytest.raises(ConfigurationError, match=r"every evaluation; say which: last\(accuracy\)"):
        value("median(accuracy)", watched())
    with pytest.raises(NoReplicaError, match=r"no replica meets when\(accuracy > 0.5\) < 5"):
        value("median(n, where=when(accuracy > 0.5) < 5)", watched())


def test_what_no_replica_has_is_not_defined() -> None:
    none = replicas({"n": [1, 2], "plateau": [np.nan, np.nan]})
    for quantity in ("median(plateau)", "mean(plateau)", "correlation(n, plateau)",
                     "superiority(plateau, where=n == 1, than=n == 2)"):  # fmt: skip
        assert np.isnan(exact(quantity, none))
