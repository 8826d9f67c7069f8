"""All metrics together, on a cell made by hand whose story is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthbench.metrics.cell_context import CellContext
from synthbench.metrics.measuring import measure_cell
from synthbench.metrics.time_to_target import Target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.schedule import evaluation_steps

STEPS = np.array(evaluation_steps(20_000, 0.05))
LOG = np.log10(np.maximum(STEPS * 32, 1))
REPLICAS = 30


def make_cell(transitions: np.ndarray, probe_lead: float = 0.2) -> tuple[Trajectories, CellContext]:
    """Score 0.5 -> 1 in a step at 10^transitions samples; a probe moves `probe_lead` earlier."""
    tables = []
    for replica, at in enumerate(transitions):
        progress = (at <= LOG) * 1.0
        # Until it moves, the probe already tells when the transition will come.
        probe = np.where(at - probe_lead <= LOG, 1.0, 0.9 - 0.1 * at)
        columns = {"accuracy": 0.5 + progress / 2, "progress": progress, "early/sign": probe}
        tables.append(pa.table({"replica": np.full(len(STEPS), replica), "step": STEPS, **columns}))
    context = CellContext(
        target=Target(0.96, 2, 640_000),
        points=STEPS * 32.0,
        step=32,
        diverged=[False] * len(transitions),
        references=[{"trivial": 0.5, "useless": 0.5, "optimal": 1.0}] * len(transitions),
    )
    return Trajectories.from_blocks(tables, 32, 1000), context


@pytest.fixture(scope="module")
def metrics():
    logs = np.random.default_rng(0).uniform(4.4, 4.6, REPLICAS)
    # Three that never learn.
    logs[:3] = 9
    return measure_cell(*make_cell(logs)), logs


def test_the_transition(metrics) -> None:
    found, logs = metrics
    assert np.log10(found.transitions.midpoint.value) == pytest.approx(np.median(logs), abs=0.03)
    assert found.transitions.completed == 27 and found.transitions.width.value == 0
    assert found.transition_counts == {0: 3, 1: 27}


def test_sample_efficiency(metrics) -> None:
    found, logs = metrics
    assert found.reached.solved.sum() == 27
    spent = np.minimum(10**logs, 640_000)
    assert found.restricted_mean.value == pytest.approx(spent.mean(), rel=0.03)
    distance = np.minimum(logs, np.log10(640_000)) / np.log10(640_000)
    assert found.regret.value == pytest.approx(distance.mean(), abs=0.005)


def test_random_search_is_rejected(metrics) -> None:
    found, _ = metrics
    assert found.random_search.p_value < 0.01 and found.variance_split is None


def test_the_probe_leads_and_predicts(metrics) -> None:
    found, logs = metrics
    probe = found.probes["early/sign"]
    assert probe.lead.value == pytest.approx(0.2, abs=0.03)
    assert probe.plateau_fraction.value == pytest.approx(10**-0.2, rel=0.05)
    assert np.log10(probe.moment) == pytest.approx(np.median(logs) - np.log10(2), abs=0.03)
    assert probe.concordance.value > 0.95


def test_a_strategy_that_scores_like_the_trivial_one_is_left_out(metrics) -> None:
    found, _ = metrics
    assert list(found.near) == ["trivial", "optimal"]
    assert found.near["optimal"].replicas == 27 and found.near["trivial"].replicas == 30


def test_a_crossed_design_is_split() -> None:
    from dataclasses import replace

    generator = np.random.default_rng(1)
    rows = generator.normal(4.5, 0.15, (6, 1)) + generator.normal(0, 0.02, (6, 5))
    trajectories, context = make_cell(rows.flatten())
    split = measure_cell(trajectories, replace(context, initializations=6)).variance_split
    assert split.initialization.value > 0.9 and split.data.value < 0.1
    stuck = rows.copy()
    stuck[0, 0] = 9
    trajectories, _ = make_cell(stuck.flatten())
    assert measure_cell(trajectories, replace(context, initializations=6)).variance_split is None


def test_a_crossed_design_counts_only_independent_replicas() -> None:
    from dataclasses import replace

    generator = np.random.default_rng(1)
    rows = generator.normal(4.5, 0.15, (6, 1)) + generator.normal(0, 0.02, (6, 5))
    trajectories, context = make_cell(rows.flatten())
    crossed = measure_cell(trajectories, replace(context, initializations=6))
    alone, part = make_cell(np.diagonal(rows))
    expected = measure_cell(alone, part)
    assert np.array_equal(crossed.reached.times, expected.reached.times)
    assert crossed.restricted_mean == expected.restricted_mean
    assert crossed.random_search == expected.random_search
    assert crossed.variance_split is not None and expected.variance_split is None


def test_a_crossed_design_without_spread_is_not_split() -> None:
    from dataclasses import replace

    trajectories, context = make_cell(np.full(6, 4.5))
    crossed = measure_cell(trajectories, replace(context, initializations=2))
    assert crossed.variance_split is None
