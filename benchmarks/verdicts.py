"""How often verdicts of claims are wrong, on simulated studies whose truth is known.

    python benchmarks/verdicts.py [--studies 1000] [--seeds 8 16 32] [--scenario NAME]

Every claim states exactly the truth as its threshold, the hardest case: of such a claim both
"holds" and "does not hold" are false, and a family of claims should have one in at most 5% of
studies, a false "holds" in half of those. Power is the share of "holds" where the truth is away
from the threshold. Times are log-normal, seeds are shared by cells and have half of the variance
in common, evaluations are 5% apart where a scenario says so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from synthbench.claims import Claim, Judgement, Verdict
from synthbench.claims.judging import judge_replicas
from synthbench.claims.replicas import Replicas

SIZES = (10, 20, 40, 80)
SPREAD, SHARED = 0.4, 0.5
SCALE, EXPONENT = 100.0, 1.5
CORRELATION = 0.6


@dataclass(frozen=True)
class Studied:
    """What a simulated study is.

    budget: quantile of the times of the largest size at which all are censored. resolution:
    ratio of one evaluation to that before; 1: times are exact.
    """

    budget: float = 1.0
    resolution: float = 1.0


def study(seeds: int, draws: np.random.Generator, studied: Studied = Studied()) -> Replicas:
    """Cells of four sizes and two models; the second needs as many samples as the first.

    early: correlated with log time. skewed: log-normal, of mean exp(1 / 2).
    """
    world, rows = draws.normal(size=seeds), []
    for n in SIZES:
        for model in ("a", "b"):
            own = draws.normal(size=seeds)
            z = np.sqrt(SHARED) * world + np.sqrt(1 - SHARED) * own
            early = CORRELATION * z + np.sqrt(1 - CORRELATION**2) * draws.normal(size=seeds)
            times = true_median(n) * np.exp(SPREAD * z)
            end = true_median(n) * np.exp(SPREAD * norm.ppf(studied.budget))
            if studied.resolution > 1:
                step = np.log(studied.resolution)
                times = np.exp(np.ceil(np.log(times) / step) * step)
            censored = times > end
            rows.append(
                pd.DataFrame({
                    "n": n, "kind": model, "seed_world": np.arange(seeds), "budget": end,
                    "outcome": np.where(censored, "censored", "solved"),
                    "samples_to_target": np.where(censored, np.nan, times),
                    "time": np.minimum(times, end), "censored": censored, "early": early,
                    "skewed": np.exp(own), "success": z > norm.ppf(0.1),
                })
            )  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    evaluations = pd.DataFrame({"samples": table["time"]})
    return Replicas(table, str, evaluations, np.arange(len(table)))


def true_median(n: int) -> float:
    """Samples by which half of the replicas of a size have solved it."""
    return SCALE * n**EXPONENT


def claim(name: str, quantity: str, holds: str) -> Claim:
    return Claim(name=name, says=name, source="simulated", quantity=quantity, holds=holds)


ONE, OTHER = "where=n == 40 and kind == 'a'", "where=n == 40 and kind == 'b'"
T = "samples_to_target"
QUANTITIES: dict[str, tuple[str, float]] = {
    "median": (f"median({T}, {ONE})", true_median(40)),
    "quantile": (f"quantile(0.75, {T}, {ONE})", true_median(40) * np.exp(SPREAD * norm.ppf(0.75))),
    "ratio": (f"median({T}, {ONE}) / median({T}, {OTHER})", 1.0),
    "share": (f"share(success, {ONE})", 0.9),
    "exponent": (f"exponent(median({T}, where=kind == 'a'), by=n)", EXPONENT),
    "concordance": (f"concordance(early, {T}, {ONE})", 0.5 + np.arcsin(CORRELATION) / np.pi),
    "correlation": (f"correlation(early, {T}, {ONE})", 6 / np.pi * np.arcsin(CORRELATION / 2)),
    "superiority": (f"superiority({T}, {ONE}, {OTHER.replace('where', 'than')})", 0.5),
    "far-superiority": (
        f"superiority({T}, where=n == 20 and kind == 'a', than=n == 40 and kind == 'b')",
        float(norm.cdf(EXPONENT * np.log(2) / SPREAD / np.sqrt(2))),
    ),
    "mean": (f"mean(early, {ONE})", 0.0),
    "skewed-mean": (f"mean(skewed, {ONE})", float(np.exp(0.5))),
    "skewed-ratio": (f"mean(skewed, {ONE}) / mean(skewed, {OTHER})", 1.0),
    "before": (f"share(early > 0, {ONE})", 0.5),
    "pooled-share": ("share(success)", 0.9),
}
"""Name -> quantity and its truth."""
FAMILY = ("median", "ratio", "share", "exponent", "concordance")
SCENARIOS = {
    "exact": Studied(),
    "censored": Studied(budget=0.7),
    "half-censored": Studied(budget=0.5),
    "evaluations": Studied(budget=0.9, resolution=1.05),
}


def at_truth(names: list[str]) -> list[Claim]:
    """Each claim with the truth itself as its threshold; it claims the side above."""
    return [claim(n, QUANTITIES[n][0], f"> {float(QUANTITIES[n][1])!r}") for n in names]


def rates(
    seeds: int, studies: int, claims: list[Claim], studied: Studied
) -> dict[str, tuple[float, float]]:
    """Shares of studies with "holds" and with "does not hold": of each claim, and of any."""
    found: list[list[Judgement]] = []
    for number in range(studies):
        replicas = study(seeds, np.random.default_rng([seeds, number]), studied)
        found.append(judge_replicas(claims, replicas))
    table: dict[str, tuple[float, float]] = {}
    against = (Verdict.DOES_NOT_HOLD, Verdict.BEST_SEED_ONLY)
    holds = np.array([[each.verdict is Verdict.HOLDS for each in one] for one in found])
    fails = np.array([[each.verdict in against for each in one] for one in found])
    for index, each in enumerate(claims):
        table[each.name] = (holds[:, index].mean(), fails[:, index].mean())
    table["any"] = (holds.any(axis=1).mean(), fails.any(axis=1).mean())
    return table


def power(
    seeds: int, studies: int, shifts: dict[str, Callable[[float], float]]
) -> dict[str, float]:
    """Share of "holds" of claims whose threshold is below the truth."""
    claims = [
        claim(name, QUANTITIES[name][0], f"> {float(shift(QUANTITIES[name][1]))!r}")
        for name, shift in shifts.items()
    ]
    found = rates(seeds, studies, claims, SCENARIOS["evaluations"])
    return {name: found[name][0] for name in shifts}


SHIFTS: dict[str, Callable[[float], float]] = {
    "median": lambda truth: truth / 1.5,
    "ratio": lambda truth: truth / 1.5,
    "share": lambda truth: truth - 0.25,
    "exponent": lambda truth: truth - 0.25,
    "concordance": lambda truth: truth - 0.2,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--scenario", choices=SCENARIOS, nargs="+", default=list(SCENARIOS))
    options = parser.parse_args()
    start = time.perf_counter()
    for scenario in options.scenario:
        print(f"{scenario}: false holds / false does not hold, % of {options.studies} studies")
        print("claims".ljust(18), *(f"{seeds:>5} seeds" for seeds in options.seeds))
        for family in (list(FAMILY), [n for n in QUANTITIES if n not in FAMILY]):
            tables = [
                rates(seeds, options.studies, at_truth(family), SCENARIOS[scenario])
                for seeds in options.seeds
            ]
            for name in tables[0]:
                words = (f"{100 * t[name][0]:.1f} / {100 * t[name][1]:.1f}" for t in tables)
                print(f"  {name:16}", *(f"{each:>11}" for each in words), flush=True)
    print(f"power, % of studies: {', '.join(SHIFTS)}")
    for seeds in options.seeds:
        found = power(seeds, options.studies, SHIFTS)
        print(f"  {seeds:>3} seeds:", *(f"{100 * share:.0f}" for share in found.values()))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
