"""The tidy table: its rows, its columns, and that they hold what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import varying
from tests.results.planned import Planned, planned_cells
from tests.results.synthetic import BUDGET, Setting, make_cell


@pytest.fixture
def results(tmp_path: Path) -> sb.Results:
    """A fast cell of width 100 and one of width 3 that few replicas solve."""
    cells = planned_cells(
        tmp_path,
        Planned("mlp width=100"),
        Planned("mlp width=3", model={"width": 3}, recipe={"lr": 0.05}, speed=0.105),
    )
    return sb.Results([sb.CellResult(cell, reused=True) for cell in cells])


def test_a_configuration_has_its_fields_and_its_metrics(results: sb.Results) -> None:
    table = results.table()
    assert list(table.columns[:4]) == ["task", "model", "model.width", "lr"]
    assert list(table["model.width"]) == [100, 3] and list(table["lr"]) == [0.1, 0.05]
    assert list(table["model"]) == ["mlp width=100", "mlp width=3"]
    # The transition's width keeps its name.
    assert table["width"][0] == results[0].metrics.transitions.width.value
    for row, result in enumerate(results):
        summary = result.record.summary
        assert table["samples_to_target_low"][row] == pytest.approx(
            summary.samples_to_target.low or np.nan, nan_ok=True
        )


def test_all_fields_are_there_when_asked_for(results: sb.Results) -> None:
    table = results.table(fields="all")
    every = varying(results.measured).columns
    assert set(every.values()) <= set(table.columns)
    assert list(table["protocol.score" if "protocol.score" in table else "hold"]) == [2, 2]
    assert list(table["n"]) == [10, 10] and table["train_samples"].isna().all()
    assert len(set(table.columns)) == len(table.columns)


def test_a_replica_has_its_time_and_whether_it_is_censored(results: sb.Results) -> None:
    table = results.table(per="replica")
    assert len(table) == sum(len(result.record.replicas) for result in results)
    own = table[table["model.width"] == 3]
    outcomes = [replica.outcome for replica in results[1].record.replicas]
    assert {"solved", "censored"} == set(outcomes) and list(own["outcome"]) == outcomes
    assert list(own["censored"]) == [outcome == "censored" for outcome in outcomes]
    assert (own["time"][own["censored"]] == BUDGET).all()
    assert own["samples_to_target"][own["censored"]].isna().all()
    solved = own[~own["censored"]]
    assert (solved["time"] == solved["samples_to_target"]).all()
    assert list(own["seed_init"]) == list(range(len(own)))


def test_survival_software_finds_our_median_in_it(results: sb.Results) -> None:
    """Kaplan-Meier of lifelines against ours: an oracle for `time` and `censored`."""
    table = results.table(per="replica")
    for width, ours in zip((100, 3), results, strict=True):
        own = table[table["model.width"] == width]
        median = KaplanMeierFitter().fit(own["time"], ~own["censored"]).median_survival_time_
        value = ours.record.summary.samples_to_target.value
        assert median == (np.inf if value is None else value)


def test_means_of_replicas_are_the_metrics_of_their_configuration(results: sb.Results) -> None:
    replicas, cells = results.table(per="replica"), results.table()
    means = replicas.groupby("model.width")["regret"].mean()
    for width, regret in zip(cells["model.width"], cells["regret"], strict=True):
        assert means[width] == pytest.approx(regret)
    completed = replicas[(replicas["model.width"] == 100) & replicas["completion"].notna()]
    assert completed["width"].median() == pytest.approx(cells["width"][0])


def test_every_replica_of_a_crossed_design_has_a_row(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a", Setting(replicas=8))
    plan = cell.record.plan | {"protocol": cell.record.protocol | {"initializations": 4}}
    crossed = replace(cell, record=cell.record.model_copy(update={"plan": plan}))
    assert len(crossed.metrics.reached.times) == 2
    assert len(sb.Results([sb.CellResult(crossed, reused=True)]).table(per="replica")) == 8


def test_an_evaluation_has_what_was_measured_at_it(results: sb.Results) -> None:
    table = results.table(per="evaluation")
    assert len(table) == sum(len(result.trajectories) for result in results)
    own = table[table["model.width"] == 3]
    columns = results[1].measured.trajectories
    assert np.array_equal(own["accuracy"], columns.column("accuracy"))
    assert np.array_equal(own["samples"], columns.column("samples"))
    assert len(own["excess"].iloc[0]) == 6, "a curve is a list"


def test_the_baseline_is_a_reference_in_its_own_rows(results: sb.Results) -> None:
    table = results.table(against="mlp width=100")
    (one,) = results.compare(against="mlp width=100")
    assert np.isnan(table["p_value"][0]) and table["p_value"][1] == one.p_value
    assert table["superiority"][1] == one.comparison.superiority.value


def test_what_is_no_option_is_refused(results: sb.Results) -> None:
    with pytest.raises(ConfigurationError, match=r'per must be .* or evaluation, got "cell"'):
        results.table(per="cell")
    with pytest.raises(ConfigurationError, match='fields must be varying or all, got "none"'):
        results.table(fields="none")
    with pytest.raises(ConfigurationError, match="compared in the table per configuration"):
        results.table(per="replica", against="mlp width=3")


def test_no_cells_are_an_empty_table() -> None:
    for per in ("configuration", "replica", "evaluation"):
        assert sb.Results([]).table(per=per).empty


def test_no_two_columns_share_a_name_whatever_fields_are_called(tmp_path: Path) -> None:
    names = ["width", "replica", "samples", "accuracy", "time", "loss", "task", "solved", "p_value"]
    cells = planned_cells(
        tmp_path,
        *(Planned(model=dict.fromkeys(names, n), task=dict.fromkeys(names, n)) for n in (1, 2)),
    )
    results = sb.Results([sb.CellResult(cell, reused=True) for cell in cells])
    for per in ("configuration", "replica", "evaluation"):
        table = results.table(per=per)
        assert len(set(table.columns)) == len(table.columns)
        for name in names:
            assert list(table[f"model.{name}"].unique()) == [1, 2]


def test_cells_of_one_folder_are_read_once(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    assert isinstance(cell, MeasuredCell)
    assert list(sb.read_results(tmp_path).table()["model"]) == ["mlp"]
