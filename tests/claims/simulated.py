"""Replicas as one types them, without training: their table and their evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthbench.claims import Claim, Judgement
from synthbench.claims.judging import judge_replicas
from synthbench.claims.quantity import read_quantity
from synthbench.claims.replicas import Replicas
from synthbench.claims.resampling import observed
from synthbench.claims.sample import Sample
from synthbench.errors import UnknownNameError

BUDGET = 100.0


def replicas(
    columns: Mapping[str, Sequence[Any]], evaluations: pd.DataFrame | None = None
) -> Replicas:
    """One row per entry; `time` above the budget of 100 is censored there.

    Without `seed_world` each row has a seed of its own. evaluations: with a column `row`.
    """
    table = pd.DataFrame(dict(columns))
    times = table.pop("time") if "time" in table else pd.Series(np.full(len(table), 10.0))
    if "seed_world" not in table:
        table["seed_world"] = np.arange(len(table))
    censored = times > BUDGET
    table["budget"], table["censored"] = BUDGET, censored
    table["outcome"] = np.where(censored, "censored", "solved")
    table["samples_to_target"] = times.where(~censored)
    table["time"] = times.clip(upper=BUDGET)
    if evaluations is None:
        rows = np.arange(len(table))
        evaluations = pd.DataFrame({"row": rows, "samples": table["time"]})

    def find(name: str) -> str:
        if name not in table.columns:
            raise UnknownNameError(f'no column "{name}"')
        return name

    starts = np.searchsorted(evaluations["row"], np.arange(len(table)))
    return Replicas(table, find, evaluations.drop(columns="row"), starts)


def value(quantity: str, of: Replicas) -> tuple[float, float]:
    """What a quantity is of all seeds alike: least and most."""
    found = read_quantity(quantity)(Sample.whole(of, observed(int(of.seeds.max()) + 1)))
    return float(found.least[0]), float(found.most[0])


def exact(quantity: str, of: Replicas) -> float:
    """The same where it is known."""
    least, most = value(quantity, of)
    np.testing.assert_equal(least, most)
    return least


def claim(quantity: str, holds: str = "> 0", name: str = "it") -> Claim:
    return Claim(name=name, says="It is so.", source="nowhere", quantity=quantity, holds=holds)


def verdict(quantity: str, holds: str, of: Replicas, confidence: float = 0.95) -> Judgement:
    return judge_replicas([claim(quantity, holds)], of, confidence)[0]
