"""Results in Python: tables, data sets, comparisons, reading back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.errors import RecordError
from synthbench.registry.registry import installed
from synthbench.results.comparisons import _within
from synthbench.streams import Purpose, Stream
from tests.engine.authored import Plain


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[sb.Results, Path]:
    registry, folder = installed(), tmp_path_factory.mktemp("runs")
    protocol = sb.Protocol(budget=19_200, seeds=8, evaluation_samples=256)
    cells = [
        sb.Cell(registry.task("sparse-parity n=10 k=2"), registry.model(model), protocol)
        for model in ("mlp width=16", "mlp width=64 optimizer=adam lr=0.01")
    ]
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=8)
    return sb.evaluate_cells(cells, folder, settings), folder


def test_the_table_has_one_row_per_cell_with_intervals(run) -> None:
    results, _ = run
    table = results.table()
    assert list(table["model"]) == [cell.record.model for cell in results]
    summary = results[0].record.summary
    assert table["samples_to_target"][0] == summary.samples_to_target.value
    assert table["samples_to_target_low"][0] == summary.samples_to_target.low
    for name in ("regret", "midpoint", "width", "restricted_mean"):
        assert (table[f"{name}_low"] <= table[name]).all()
    assert results[1].table().iloc[0]["model"] == table["model"][1]


def test_trajectories_are_a_data_set(run) -> None:
    results, _ = run
    data = results[0].trajectories
    assert type(data).__module__.startswith("datasets")
    assert {"replica", "samples", "progress", "accuracy"} <= set(data.column_names)
    assert len(data) == results[0].measured.trajectories.table.num_rows
    last = data.filter(lambda row: row["replica"] == 7).to_pandas()["progress"].iloc[-1]
    assert last == results[0].measured.trajectories.by_replica("progress")[7][-1]


def test_models_are_compared_in_pairs_of_seeds(run) -> None:
    results, _ = run
    (one,) = results.compare()
    assert one.paired and one.p_value == one.comparison.log_rank
    medians = [cell.record.summary.samples_to_target.value for cell in results]
    # Of the crossings, which lie up to one evaluation before what the medians show.
    assert one.comparison.ratio_of_medians.value == pytest.approx(medians[0] / medians[1], rel=0.05)


def test_reading_back_gives_the_same(run) -> None:
    results, folder = run
    again = sb.read_results(folder)
    assert len(again) == 2 and all(cell.reused for cell in again)
    same = {cell.record.plan_hash: cell for cell in again}
    for cell in results:
        assert same[cell.record.plan_hash].metrics.regret == cell.metrics.regret
    (only,) = sb.read_results(results[0].folder)
    assert only.record == results[0].record


def test_an_empty_folder_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no finished cell in"):
        sb.read_results(tmp_path)
    with pytest.raises(RecordError, match="no finished cell in"):
        sb.read_results(tmp_path / "missing")


def test_slices_are_results(run) -> None:
    results, _ = run
    assert isinstance(results[:1], sb.Results) and len(results[:1]) == 1
    assert np.array_equal([cell.record for cell in results], [c.record for c in results[:]])


def test_a_larger_budget_is_no_advantage(tmp_path: Path) -> None:
    """The same trainings, cut where some cross the target just before the smaller budget ends."""
    registry = installed()
    task, model = registry.task("sparse-parity n=10 k=2"), registry.model("mlp width=16")
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=8)

    def evaluate(budget: int) -> sb.CellResult:
        protocol = sb.Protocol(budget=budget, seeds=8, evaluation_samples=256)
        return sb.evaluate_cells([sb.Cell(task, model, protocol)], tmp_path, settings)[0]

    long = evaluate(19_200)
    # The evaluation that would confirm this replica's crossing comes after the smaller budget.
    budget = int(np.sort(long.metrics.reached.times)[3])
    short = evaluate(budget)
    assert 0 < short.record.summary.solved < 4
    cut, whole = (_within(cell.measured, budget) for cell in (short, long))
    assert np.array_equal(cut.times, whole.times) and np.array_equal(cut.solved, whole.solved)
    assert sb.read_results(tmp_path).compare() == [], "a model is not held against itself"


def test_a_network_is_rebuilt_from_its_weights(tmp_path: Path, small_cell: sb.Cell) -> None:
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), keep_weights=True)
    (result,) = sb.evaluate_cells([small_cell], tmp_path, settings)
    task = small_cell.task
    for replica in (0, 5):
        seed = small_cell.replica_seeds()[replica]
        world = task.world(Stream.from_seed(seed.world, Purpose.WORLD))
        batch = task.sample(world, Stream.from_seed(99, Purpose.EVAL), 2000)
        score = task.score(result.network(replica)(batch.x).detach(), batch)["accuracy"]
        final = result.measured.trajectories.by_replica("accuracy")[replica][-1]
        assert abs(float(score) - final) < 0.03 and final > 0.97
    with pytest.raises(RecordError, match="from 0 to 5"):
        result.network(6)


def test_no_weights_no_network(run) -> None:
    results, _ = run
    with pytest.raises(RecordError, match="--keep-weights"):
        results[0].network(0)


def test_a_network_of_no_plugin_is_rebuilt_only_where_its_class_is_at_hand(
    tmp_path: Path, small_cell: sb.Cell
) -> None:
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), keep_weights=True)
    protocol = sb.Protocol(budget=64, seeds=2, evaluation_samples=128)
    cell = replace(small_cell, model=Plain(), protocol=protocol)
    (result,) = sb.evaluate_cells([cell], tmp_path, settings)
    assert result.network(0)(torch.ones(3, 10)).shape == (3,)
    with pytest.raises(RecordError, match="not from an installed plugin"):
        sb.read_results(tmp_path)[0].network(0)
