"""Reruns against records: equal ones hold, forged ones do not, roundings are told from both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
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
    MORE_NUDGES,
    NUDGES,
    Agreement,
    Nudged,
    compare_rerun,
)
from synthbench.leaderboard.verification.rerun import Rerun, rerun_replicas
from synthbench.leaderboard.verification.same_bits import replicas_of_same_bits
from synthbench.listeners.listener import Silent
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell
from synthbench.records.schema import EarlierReplicas
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import read_results
from tests.leaderboard.trained import train, write_suite


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[MeasuredCell, Cell]:
    """A measured cell, and the same as it is planned to be run again."""
    suite = write_suite(tmp_path_factory.mktemp("suite"))
    suite = suite.model_copy(update={"cells": suite.cells[:1]})
    run = train(suite, tmp_path_factory.mktemp("run"), "mlp width=16")
    cell = read_results(run)[0].measured
    (planned,) = expected_cells(suite)
    return cell, rebuild_cell(cell.record, planned)


@pytest.fixture(scope="module")
def measured(trained: tuple[MeasuredCell, Cell]) -> tuple[MeasuredCell, Rerun]:
    cell, planned = trained
    compute = cell.record.compute.model_copy(update={"replicas_per_block": 3})
    record = cell.record.model_copy(update={"compute": compute})
    return cell, rerun_replicas(planned, [1, 2, 4], "cpu", Silent(), record)


@pytest.fixture(scope="module")
def nudged(
    trained: tuple[MeasuredCell, Cell], measured: tuple[MeasuredCell, Rerun]
) -> list[Trajectories]:
    """The rerun's replicas with other last bits, once more often than is asked for.

    No two of the first ones are alike, and the last is like no other; a replica for which more are
    asked is far from all of them.
    """
    cell, planned = trained
    *several, last = (
        rerun_replicas(planned, [1, 2, 4], "cpu", Silent(), cell.record, nudge).trajectories
        for nudge in range(1, NUDGES + 2)
    )
    return [*islice(cycle(several), NUDGES + MORE_NUDGES), last]


def unasked(*_: object) -> Trajectories:
    raise AssertionError("no replica is trained again where the rerun decides")


def judge(
    cell: MeasuredCell,
    rerun: Rerun,
    recorded: Trajectories | None = None,
    nudged: Nudged = unasked,
) -> Agreement:
    return compare_rerun(cell.record, recorded or cell.trajectories, rerun, nudged, 2)


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
    facts = replace(rerun.facts, parameters=rerun.facts.parameters + 1)
    (failure,) = judge(cell, replace(rerun, facts=facts)).failures
    assert failure.startswith("parameters is recorded as")
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


@pytest.mark.parametrize(
    "name", ["accuracy", "loss", "progress", "train_loss", "weight-movement/l2"]
)
def test_one_other_bit_is_caught_on_the_same_machine(measured, name: str) -> None:
    cell, rerun = measured
    values = cell.trajectories.column(name)
    place = np.flatnonzero(cell.trajectories.column("replica") == 2)[5]
    values[place] = np.nextafter(values[place], 9)
    found = judge(cell, rerun, changed(cell.trajectories, name, values))
    assert found.how == "closely" and found.deviation < 1e-6
    assert found.failures == (
        "replica 2 has other bits on the same hardware and software: first in "
        f"{name}, at step {cell.trajectories.column('step')[place]:.0f}",
    )


def test_replicas_that_were_trained_elsewhere_owe_no_bits(measured) -> None:
    cell, rerun = measured
    assert replicas_of_same_bits(cell.record, rerun) == [0, 1, 2]
    other = cell.record.environment.model_copy(update={"threads": 7})
    part = EarlierReplicas(
        replicas=(0, 2), created=cell.record.created, environment=other
    )  # fmt: skip
    assert replicas_of_same_bits(cell.record.model_copy(update={"earlier": (part,)}), rerun) == [
        0,
        2,
    ]
    own = part.model_copy(update={"environment": cell.record.environment})
    mixed = cell.record.model_copy(update={"earlier": (own,), "environment": other})
    assert replicas_of_same_bits(mixed, rerun) == [1]


def elsewhere(rerun: Rerun) -> Rerun:
    environment = rerun.environment.model_copy(update={"device": "cuda", "device_name": "H100"})
    return replace(rerun, environment=environment)


def test_other_rounding_is_no_forgery_elsewhere(measured) -> None:
    cell, rerun = measured
    values = cell.trajectories.column("loss")
    rounded = changed(cell.trajectories, "loss", values * (1 + 1e-6))
    found = judge(cell, elsewhere(rerun), rounded)
    assert (found.how, found.failures) == ("closely", ()) and found.deviation < 1e-3


def test_what_rounding_carries_is_no_forgery_and_nothing_else(measured, nudged) -> None:
    """Claimed are the rerun's own replicas with other last bits, then the same a little later."""
    cell, rerun = measured
    another = nudged[-1]
    again = replace(elsewhere(rerun), replicas=(0, 1, 2))
    record = cell.record.model_copy(
        update={"replicas": tuple(cell.record.replicas[i] for i in rerun.replicas)}
    )
    asked: list[tuple[int, list[int]]] = []

    def trained_again(nudge: int, places: Sequence[int]) -> Trajectories:
        asked.append((nudge, list(places)))
        return nudged[nudge - 1].select(places)

    honest = compare_rerun(record, another, again, trained_again, 1)
    assert honest.failures == honest.strays == ()
    asked.clear()
    found = compare_rerun(record, later(another, [0, 1, 2]), again, trained_again, 1)
    every = [0, 1, 2]
    assert asked == [(nudge, every) for nudge in range(1, NUDGES + MORE_NUDGES + 1)]
    assert found.how == "seed by seed" and found.times is not None
    assert found.times.shape == (3, 2 + NUDGES)
    assert found.failures[:3] == found.strays and len(found.strays) == 3
    assert "leaves its rerun where rounding does not carry it: loss at step" in found.failures[0]


def test_one_replica_that_leaves_its_reruns_is_named_and_proves_nothing(measured, nudged) -> None:
    cell, rerun = measured
    again = elsewhere(rerun)
    asked: list[tuple[int, list[int]]] = []

    def trained_again(nudge: int, places: Sequence[int]) -> Trajectories:
        asked.append((nudge, list(places)))
        return nudged[nudge - 1].select(places)

    forged = later(cell.trajectories, [2])
    found = compare_rerun(cell.record, forged, again, trained_again, 1)
    assert found.failures == ()
    (line,) = found.strays
    assert line.startswith("replica 2 leaves its rerun where rounding does not carry it: loss")
    assert asked[:NUDGES] == [(1, [0, 1, 2]), (2, [0, 1, 2])]
    assert asked[NUDGES:] == [(NUDGES + n, [1]) for n in range(1, MORE_NUDGES + 1)]


def later(trajectories: Trajectories, replicas: list[int]) -> Trajectories:
    """The loss of some replicas one evaluation later from the fourth on."""
    loss, owner = trajectories.column("loss"), trajectories.column("replica")
    for replica in replicas:
        rows = np.flatnonzero(owner == replica)
        loss[rows[4:]] = loss[rows[3:-1]].copy()
    return changed(trajectories, "loss", loss)


def test_other_evaluation_points_and_columns_are_named(measured) -> None:
    cell, rerun = measured
    doubled = changed(cell.trajectories, "flops", cell.trajectories.column("flops") * 2)
    assert judge(cell, elsewhere(rerun), doubled).failures == ("flops is counted differently here",)
    left = Trajectories(cell.trajectories.table.drop_columns(["weight-movement/l2"]))
    (failure,) = judge(cell, elsewhere(rerun), left).failures
    assert failure == "the columns are not those that are measured here: weight-movement/l2"


def test_another_executor_or_way_rounds_otherwise(measured) -> None:
    cell, rerun = measured
    assert (cell.record.compute.executor, rerun.executor) == ("replayed", "replayed")
    for changes, owed in (
        ({"executor": None}, True),
        ({"executor": "compiled"}, False),
        ({"way": None}, True),
        ({"way": "plain"}, False),
        ({"way": None, "looped": "its ways"}, False),
    ):
        compute = cell.record.compute.model_copy(update=changes)
        claimed = cell.record.model_copy(update={"compute": compute})
        assert bool(replicas_of_same_bits(claimed, rerun)) == owed, changes


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


def test_a_rerun_describes_this_machine_as_a_record_does(measured) -> None:
    cell, rerun = measured
    own = rerun.environment
    named = cell.record.environment.plugins
    assert set(own.plugins) == {plugin for plugin in named if plugin.plugin != "suites"}
    assert own == cell.record.environment.model_copy(update={"plugins": own.plugins})
    assert "(" in own.device_name


def test_a_plugin_whose_code_is_another_is_named_where_the_rerun_differs(measured, nudged) -> None:
    cell, rerun = measured
    recorded = cell.record.environment
    edited = tuple(
        p.model_copy(update={"version": "0.1.0+code.1a2b3c4d"}) if p.plugin == "mlp" else p
        for p in recorded.plugins
    )
    environment = recorded.model_copy(update={"plugins": edited})
    other = replace(cell, record=cell.record.model_copy(update={"environment": environment}))
    assert judge(other, rerun).how == "identical", "equal numbers need no explanation"
    forged = changed(cell.trajectories, "loss", cell.trajectories.column("loss") * 1.5)
    *found, last = judge(
        other, rerun, forged, lambda number, places: nudged[number - 1].select(places)
    ).failures
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
