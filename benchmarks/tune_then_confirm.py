"""Tune two models, confirm the winners on fresh seeds: is what is said of them true?

    python benchmarks/tune_then_confirm.py [--studies 2000]

Nothing trains. Times to target are log-normal and U-shaped in the learning rate; some replicas
never solve the task, and more diverge beyond the best rate. A seed has the same effect on both
models. Times are seen at evaluations 5% apart and censored at the budget.

A study tries 20 rates for each of two models on 8 tuning seeds, chooses by the product's own
ranking, and compares the two that were chosen on 32 fresh seeds by the product's own comparison.
The truth is the ratio of the medians of what was chosen. Beside it stands what the tuning seeds,
which chose, would have said of the same two.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from synthbench.metrics.bootstrap import weighted_medians
from synthbench.metrics.comparison import Comparison, compare
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.time_to_target import TimesToTarget
from synthbench.plan.schedule import evaluation_steps
from synthbench.tuning.plan import CONFIRM_SEEDS, SEEDS, TRIALS_EACH
from synthbench.tuning.standing import Standing, ranked

Array = NDArray[np.float64]

BUDGET, BATCH = 320_000, 32
POINTS = np.array(evaluation_steps(BUDGET // BATCH, 0.05), float) * BATCH
RATES = (-3.0, 0.0)
"""Exponents of ten between which learning rates are tried."""
SHARED = 0.3
"""Share of the variance of log-times that is the seed's."""
EDGE = 0.15
"""Decades over which the share of diverging replicas rises."""


@dataclass(frozen=True)
class Landscape:
    """How long one model takes, by the exponent of its learning rate.

    floor: median at the best rate, in samples. flat: half width of the bottom, in decades.
    steepness: growth of the log-median beyond it, per decade squared. wall: decades above the
    bottom at which half of the replicas diverge. spread: standard deviation of log-times. stuck:
    share that never solves the task.
    """

    floor: float
    best: float = -1.2
    flat: float = 0.0
    steepness: float = 1.0
    wall: float = 0.8
    spread: float = 0.35
    stuck: float = 0.05

    def log_median(self, rate: float) -> float:
        """Of the replicas that solve the task."""
        beyond = max(abs(rate - self.best) - self.flat, 0.0)
        return math.log(self.floor) + self.steepness * beyond**2

    def never(self, rate: float) -> float:
        """Share of replicas that never solve the task."""
        above = max(rate - self.best - self.flat, 0.0)
        diverging = float(expit((above - self.wall) / EDGE))
        return self.stuck + (1 - self.stuck) * diverging

    def median(self, rate: float) -> float:
        """Of all replicas; infinite beyond the budget."""
        share = 0.5 / (1 - self.never(rate))
        if share >= 1:
            return math.inf
        time = math.exp(self.log_median(rate) + self.spread * float(norm.ppf(share)))
        return time if time <= BUDGET else math.inf

    def observe(self, rate: float, seeds: Array, draws: np.random.Generator) -> TimesToTarget:
        """What replicas show; seeds: (R,) standard normal effects, the same for every model."""
        own = draws.standard_normal(len(seeds))
        noise = math.sqrt(SHARED) * seeds + math.sqrt(1 - SHARED) * own
        times = np.exp(self.log_median(rate) + self.spread * noise)
        times[draws.random(len(seeds)) < self.never(rate)] = np.inf
        places = np.searchsorted(POINTS, times)
        solved, last = places < len(POINTS), len(POINTS) - 1
        shown = np.where(solved, POINTS[np.minimum(places, last)], BUDGET)
        return TimesToTarget(shown, solved, POINTS[np.maximum(places - 1, 0)])


@dataclass(frozen=True)
class Scenario:
    """Two models, and how many rates are tried for each."""

    name: str
    first: Landscape
    second: Landscape
    trials: tuple[int, int] = (TRIALS_EACH, TRIALS_EACH)


@dataclass(frozen=True)
class Study:
    """One study: what is true of the two that were chosen, and what either set of seeds says."""

    truth: float
    fresh: Comparison
    reused: Comparison
    fresh_bias: float
    """Of the first model's estimated median on fresh seeds: log of estimate over truth."""
    reused_bias: float
    """The same on the seeds that chose it."""


MODEL = Landscape(12_000)
FLAT = replace(MODEL, flat=0.5)
SCENARIOS = (
    Scenario("equal models, flat bottom", FLAT, FLAT),
    Scenario("equal models, sharp U", replace(MODEL, steepness=3), replace(MODEL, steepness=3)),
    Scenario("1.5 times faster", MODEL, replace(MODEL, floor=18_000)),
    Scenario(
        "3 times faster, often stuck", replace(MODEL, stuck=0.3), replace(MODEL, floor=36_000)
    ),
    Scenario("equal, the other at its default", FLAT, FLAT, (TRIALS_EACH, 1)),
)


def choose(
    model: Landscape, rates: Array, seeds: Array, draws: np.random.Generator
) -> tuple[float, TimesToTarget]:
    """The best of some rates on the tuning seeds, and what it showed there."""
    shown = [model.observe(float(rate), seeds, draws) for rate in rates]
    best = ranked([_standing(times) for times in shown])[0]
    return float(rates[best]), shown[best]


def simulate(scenario: Scenario, draws: np.random.Generator) -> Study:
    """Tune both models on the same seeds, then compare the winners."""
    tuning, fresh = draws.standard_normal(SEEDS), draws.standard_normal(CONFIRM_SEEDS)
    models = (scenario.first, scenario.second)
    tried = [_rates(model, n, draws) for model, n in zip(models, scenario.trials, strict=True)]
    (one, shown), (two, other) = (
        choose(model, rates, tuning, draws) for model, rates in zip(models, tried, strict=True)
    )
    confirmed = scenario.first.observe(one, fresh, draws)
    truth = scenario.first.median(one)
    return Study(
        truth / scenario.second.median(two),
        compare(confirmed, scenario.second.observe(two, fresh, draws), paired=True),
        compare(shown, other, paired=True),
        _bias(confirmed, truth),
        _bias(shown, truth),
    )


def covers(interval: Estimate, truth: float) -> bool:
    """Whether the truth lies in an interval, an open end of which is None."""
    low, high = interval.low, interval.high
    return (low is None or low <= truth * (1 + 1e-9)) and (
        high is None or truth <= high * (1 + 1e-9)
    )


def coverage(studies: list[Study], *, reused: bool = False) -> float:
    """Share of the studies whose interval for the ratio of medians holds the truth."""
    found = [study.reused if reused else study.fresh for study in studies]
    pairs = zip(found, studies, strict=True)
    return float(np.mean([covers(each.ratio_of_medians, study.truth) for each, study in pairs]))


def alarms(studies: list[Study], *, reused: bool = False) -> float:
    """Share of log-rank tests at 5% that find a difference where the chosen ones have none."""
    equal = [study for study in studies if study.truth == 1]
    found = [study.reused if reused else study.fresh for study in equal]
    return float(np.mean([each.log_rank < 0.05 for each in found])) if equal else math.nan


def _rates(model: Landscape, count: int, draws: np.random.Generator) -> Array:
    """Rates between the ends; one alone is a default near the best one."""
    if count == 1:
        return np.array([model.best + draws.normal(0, 0.2)])
    return draws.uniform(*RATES, count)


def _standing(times: TimesToTarget) -> Standing:
    median, solved = _median(times), int(times.solved.sum())
    return Standing(BUDGET, median, BUDGET, len(times.times), solved, 0, 0.0, whole=True)


def _bias(times: TimesToTarget, truth: float) -> float:
    estimate = _median(times)
    return math.nan if estimate is None or math.isinf(truth) else math.log(estimate / truth)


def _median(times: TimesToTarget) -> float | None:
    """By Kaplan and Meier, without its interval, which takes much longer."""
    found = float(weighted_medians(times, np.ones((1, len(times.times))))[0])
    return found if math.isfinite(found) else None


def main() -> None:
    """Print a table: a row for each scenario, fresh seeds beside the tuning seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    count = parser.parse_args().studies
    print("| scenario | ratio | coverage | false alarms | bias | reused: coverage | bias |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, scenario in enumerate(SCENARIOS):
        draws = np.random.default_rng(number)
        studies = [simulate(scenario, draws) for _ in range(count)]
        ratio = float(np.median([study.truth for study in studies]))
        false = alarms(studies)
        shown = "" if math.isnan(false) else f"{false:.1%}"
        fresh, reused = (
            math.expm1(float(np.nanmean([getattr(study, name) for study in studies])))
            for name in ("fresh_bias", "reused_bias")
        )
        print(
            f"| {scenario.name} | {ratio:.2f} | {coverage(studies):.1%} | {shown} | {fresh:+.1%} "
            f"| {coverage(studies, reused=True):.1%} | {reused:+.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
