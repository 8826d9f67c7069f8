"""Reruns against records: equal ones hold, forged ones do not, roundings are told from both."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch._inductor
from torch import fx

import synthbench as sb
from synthbench.engine.axis.memory import with_less_memory
from synthbench.leaderboard.submissions.expected import expected_cells, rebuild_cell
from synthbench.leaderboard.verification import rerun as rerun_module
from synthbench.leaderboard.verification.agreement import (
    HEIGHT,
    compare_rerun,
    outside_band,
    same_setup,
    statistical_failures,
    times_p_value,
)
from synthbench.leaderboard.verification.rerun import Rerun, rerun_replicas
from synthbench.listeners.listener import Silent
from synthbench.metrics.comparison import log_rank_p_value
from synthbench.metrics.time_to_target import TimesToTarget
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell
from synthbench.results.measured_cell import MeasuredCell, context_of
from synthbench.results.results import read_results
from tests.leaderboard.trained import train, write_suite

RAMP = np.linspace(0.0, 1.0, 11)


def test_the_band_by_hand() -> None:
    assert outside_band(RAMP, RAMP) == 0
    late = np.concatenate([[0.0], RAMP[:-1]])
    assert outside_band(RAMP, late) == 0, "one evaluation point later is within the band"
    later = np.concatenate([[0.0, 0.0], RAMP[:-2]])
    assert outside_band(RAMP, later) == pytest.approx(0.1), "two are one step of a tenth outside"
    # At the last point, which has no neighbour above it.
    assert outside_band(RAMP, RAMP + 0.2) == pytest.approx(0.2)


def test_lengths_and_gaps() -> None:
    assert outside_band(RAMP, RAMP[:-1]) == 0
    assert outside_band(RAMP, RAMP[:-2]) == np.inf
    gap = np.where(np.arange(11) == 4, np.nan, RAMP)
    assert outside_band(gap, gap) == 0 and outside_band(RAMP, gap) == np.inf
    assert outside_band(np.full(3, np.nan), np.full(3, np.nan)) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[MeasuredCell, Cell]:
    """A measured cell, and the same as it is planned to be run again."""
    suite = write_suite(tmp_path_factory.mktemp("suite"))
    run = train(suite, tmp_path_factory.mktemp("run"), "mlp width=16")
    cell = read_results(run)[0].measured
    index = [c.task.label() for c in expected_cells(suite)].index(cell.record.task)
    return cell, rebuild_cell(cell.record, expected_cells(suite)[index])


@pytest.fixture(scope="module")
def measured(trained: tuple[MeasuredCell, Cell]) -> tuple[MeasuredCell, Rerun]:
    cell, planned = trained
    compute = cell.record.compute.model_copy(update={"replicas_per_block": 3})
    record = cell.record.model_copy(update={"compute": compute})
    return cell, rerun_replicas(planned, [1, 2, 4], "cpu", Silent(), record)


def judge(cell: MeasuredCell, rerun: Rerun, recorded: Trajectories | None = None):
    target = context_of(cell.record).target
    return compare_rerun(cell.record, recorded or cell.trajectories, rerun, target, 2)


def changed(trajectories: Trajectories, name: str, values: np.ndarray) -> Trajectories:
    table = trajectories.table
    index = table.column_names.index(name)
    return Trajectories(table.set_column(index, name, pa.array(values, from_pandas=True)))


def test_an_honest_record_is_repeated_to_the_bit(measured) -> None:
    found = judge(*measured)
    assert (found.how, found.deviation, found.failures) == ("identical", 0.0, ())


def test_no_record_has_more_threads_started_than_there_are_processors(
    trained: tuple[MeasuredCell, Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, planned = trained
    seen: list[int] = []

    def rerun(*_: object) -> None:
        seen.append(torch.get_num_threads())

    monkeypatch.setattr(rerun_module, "_rerun", rerun)
    environment = cell.record.environment.model_copy(update={"threads": 10**6})
    claimed = cell.record.model_copy(update={"environment": environment})
    rerun_replicas(planned, [1], "cpu", Silent(), claimed)
    assert seen == [os.cpu_count()]


def test_what_costs_and_data_claim_is_checked(measured) -> None:
    cell, rerun = measured
    facts = replace(rerun.facts, step_flops=rerun.facts.step_flops * 2)
    (failure,) = judge(cell, replace(rerun, facts=facts)).failures
    assert failure.startswith("step_flops is recorded as")
    compute = cell.record.compute.model_copy(update={"state_size": 7})
    forged = cell.record.model_copy(update={"compute": compute})
    (failure,) = judge(replace(cell, record=forged), rerun).failures
    assert failure == "state_size is recorded as 7, here it is None"
    data = [rerun.data[0], "0" * 64, rerun.data[2]]
    (failure,) = judge(cell, replace(rerun, data=data)).failures
    assert failure == "the data of replica 2 are not those of its seeds"
    other = [{**r, "optimal": {"accuracy": 0.9}} for r in rerun.references]
    failures = judge(cell, replace(rerun, references=other)).failures
    assert failures[0] == "the references of replica 1 score differently here"


def test_forged_values_are_caught_on_the_same_machine(measured) -> None:
    cell, rerun = measured
    for name in ("accuracy", "loss", "progress", "weight-movement/l2"):
        values = cell.trajectories.column(name)
        forged = changed(cell.trajectories, name, values + 0.3 * np.ptp(values))
        found = judge(cell, rerun, forged)
        assert found.deviation > HEIGHT, name
        assert "on the same hardware and software" in found.failures[0], name


def test_rounding_is_no_forgery(measured) -> None:
    cell, rerun = measured
    values = cell.trajectories.column("loss")
    rounded = changed(cell.trajectories, "loss", values * (1 + 1e-6))
    found = judge(cell, rerun, rounded)
    assert found.how == "within tolerance" and not found.failures and found.deviation < 1e-3


def elsewhere(rerun: Rerun) -> Rerun:
    environment = rerun.environment.model_copy(update={"device": "cuda", "device_name": "H100"})
    return replace(rerun, environment=environment)


def test_on_another_device_statistics_decide(measured) -> None:
    cell, rerun = measured
    values, steps = cell.trajectories.column("accuracy"), cell.trajectories.column("step")
    # Chaos after the first points: as different as another machine could make it.
    late = changed(cell.trajectories, "accuracy", np.where(steps > 8, values + 0.2, values))
    found = judge(cell, elsewhere(rerun), late)
    assert found.how == "statistically" and not found.failures
    begun = changed(late, "loss", cell.trajectories.column("loss") * 1.5)
    found = judge(cell, elsewhere(rerun), begun)
    assert found.failures == tuple(f"replica {r} begins with another loss" for r in (1, 2, 4))


def test_another_executor_rounds_otherwise_so_statistics_decide(measured) -> None:
    cell, rerun = measured
    assert (cell.record.compute.executor, rerun.executor) == ("replayed", "replayed")
    values, steps = cell.trajectories.column("accuracy"), cell.trajectories.column("step")
    late = changed(cell.trajectories, "accuracy", np.where(steps > 8, values + 0.2, values))
    for executor in (None, "replayed", "compiled"):
        compute = cell.record.compute.model_copy(update={"executor": executor})
        claimed = replace(cell, record=cell.record.model_copy(update={"compute": compute}))
        found = judge(claimed, rerun, late)
        assert found.how == ("statistically" if executor == "compiled" else "within tolerance")
        assert bool(found.failures) == (executor != "compiled")


def test_a_rerun_compiles_what_was_compiled_where_it_can(
    trained: tuple[MeasuredCell, Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, planned = trained
    compute = cell.record.compute.model_copy(
        update={"replicas_per_block": 3, "executor": "compiled"}
    )
    record = cell.record.model_copy(update={"compute": compute})

    def as_it_is(graph: fx.GraphModule, *_: Any, **__: Any) -> fx.GraphModule:
        return graph

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("there is no compiler")

    for compile_, executor in ((as_it_is, "compiled"), (fail, "replayed")):
        monkeypatch.setattr(torch._inductor, "standalone_compile", compile_)
        rerun = rerun_replicas(planned, [1, 2, 4], "cpu", Silent(), record)
        assert rerun.executor == executor
        assert judge(cell, rerun).how == "identical"


def test_a_cpu_named_by_its_architecture_alone_is_no_known_machine(measured) -> None:
    cell, rerun = measured
    own = rerun.environment
    named = cell.record.environment.plugins
    assert set(own.plugins) == {plugin for plugin in named if plugin.plugin != "suites"}
    assert own == cell.record.environment.model_copy(update={"plugins": own.plugins})
    assert same_setup(own, own) and "(" in own.device_name
    vague = own.model_copy(update={"device_name": "x86_64"})
    assert not same_setup(vague, vague)
    assert same_setup(*[vague.model_copy(update={"device": "cuda"})] * 2)


def test_a_plugin_whose_code_is_another_is_named_where_the_rerun_differs(measured) -> None:
    cell, rerun = measured
    recorded = cell.record.environment
    edited = tuple(
        p.model_copy(update={"version": "0.1.0+code.1a2b3c4d"}) if p.plugin == "mlp" else p
        for p in recorded.plugins
    )
    environment = recorded.model_copy(update={"plugins": edited})
    assert not same_setup(environment, rerun.environment)
    assert same_setup(environment, environment) and same_setup(recorded, rerun.environment)
    other = replace(cell, record=cell.record.model_copy(update={"environment": environment}))
    assert judge(other, rerun).how == "identical", "equal numbers need no explanation"
    forged = changed(cell.trajectories, "loss", cell.trajectories.column("loss") * 1.5)
    *found, last = judge(other, rerun, forged).failures
    assert found and last == (
        f'plugin "mlp" is recorded as 0.1.0+code.1a2b3c4d, and {sb.__version__} here'
    )


def test_a_rerun_that_runs_out_of_memory_takes_fewer_at_once() -> None:
    asked = []

    def train(widest: int) -> list:
        asked.append(widest)
        if widest > 3:
            raise MemoryError
        return []

    assert with_less_memory(train, 16, 2) == [] and asked == [16, 8, 4, 2]
    with pytest.raises(MemoryError):
        with_less_memory(lambda widest: train(100), 16, 2)
    with pytest.raises(RuntimeError, match="other"):
        with_less_memory(lambda widest: (_ for _ in ()).throw(RuntimeError("other")), 16, 2)


def test_times_that_no_chance_explains_are_caught_anywhere(measured) -> None:
    """Recorded: 24 replicas four times as fast as those that were trained."""
    cell, rerun = measured
    many = Trajectories(pa.concat_tables([numbered(rerun.trajectories, 3 * i) for i in range(8)]))
    spread = many.column("samples") * (1 + many.column("replica") / 100)
    trained, claimed = (changed(many, "samples", spread // factor) for factor in (1, 4))
    again = replace(rerun, trajectories=trained, replicas=tuple(range(24)))
    target = context_of(cell.record).target
    (failure,) = statistical_failures(cell.record, claimed, again, target, 1)
    assert failure.startswith("the times to target differ")
    assert statistical_failures(cell.record, trained, again, target, 1) == []


def test_an_unlikely_choice_of_replicas_is_no_forgery() -> None:
    """Two reruns faster than all 32: one choice in 561, to the normal approximation in 10^11."""
    recorded = TimesToTarget(np.arange(3.0, 35.0), np.full(32, True))
    fastest = TimesToTarget(np.array([1.0, 2.0]), np.full(2, True))
    assert log_rank_p_value(fastest, recorded) < 1e-10
    assert times_p_value(fastest, recorded, 0.0005) == pytest.approx(2 / 561, rel=0.3)
    never = TimesToTarget(np.full(16, 100.0), np.full(16, False))
    assert times_p_value(never, recorded, 0.0005) < 0.0005


def numbered(trajectories: Trajectories, first: int) -> pa.Table:
    column = pa.array((trajectories.column("replica") + first).astype(np.int64))
    return trajectories.table.set_column(0, "replica", column)
