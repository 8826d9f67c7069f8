"""Which models are compared, with what, and at which price."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.metrics.multiple import holm
from synthbench.results.comparisons import compare_models
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.text import comparisons_text
from tests.results.planned import Planned, planned_cells


def at(lr: float, *, rows: int | None = None, n: int = 10, speed: float = 1.0) -> Planned:
    label = "mlp" if lr == 0.1 else f"mlp lr={lr}"
    return Planned(label, f"synthetic n={n}", task={"n": n}, recipe={"lr": lr},
                   protocol={"train_samples": rows}, speed=speed)  # fmt: skip


@pytest.fixture
def rates(tmp_path: Path) -> list[MeasuredCell]:
    return planned_cells(
        tmp_path, at(0.1), at(0.05, speed=0.9), at(0.2, speed=1.1), at(0.4, speed=1.2)
    )


def pairs(cells: list[MeasuredCell], against: str | None = None) -> list[tuple[str, str]]:
    return [(one.first, one.second) for one in compare_models(cells, against)]


def test_one_baseline_is_compared_with_each_other_model(rates: list[MeasuredCell]) -> None:
    assert len(pairs(rates)) == 6
    expected = [(f"mlp lr={lr}", "mlp lr=0.1") for lr in (0.05, 0.2, 0.4)]
    for reference in ("mlp", "mlp lr=0.1", "mlp width=100 lr=0.1"):
        assert pairs(rates, reference) == expected


def test_the_price_is_for_those_comparisons_alone(rates: list[MeasuredCell]) -> None:
    compared = compare_models(rates, "mlp")
    raw = [one.comparison.log_rank for one in compared]
    assert [one.p_value for one in compared] == pytest.approx(holm(raw))
    every = {(one.first, one.second): one.p_value for one in compare_models(rates)}
    dearer = [every.get((o.first, o.second), every.get((o.second, o.first))) for o in compared]
    assert all(one.p_value <= p for one, p in zip(compared, dearer, strict=True))
    assert any(one.p_value < p for one, p in zip(compared, dearer, strict=True))


def test_below_one_is_faster_than_the_baseline(rates: list[MeasuredCell]) -> None:
    ratios = {o.first: o.comparison.ratio_of_medians.value for o in compare_models(rates, "mlp")}
    assert ratios["mlp lr=0.05"] >= 1 > ratios["mlp lr=0.4"]


def test_training_sets_are_held_equal_and_told(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(at(lr, rows=rows, n=n) for n in (10, 20) for rows in (500, None) for lr in (0.1, 0.05)),
    )
    compared = compare_models(cells)
    assert [one.task for one in compared] == [
        "synthetic n=10, train_samples=500", "synthetic n=10, train_samples=none",
        "synthetic n=20, train_samples=500", "synthetic n=20, train_samples=none",
    ]  # fmt: skip
    for one in compared:
        first, second = (cell.record for cell in one.cells)
        assert first.task == second.task
        assert first.protocol["train_samples"] == second.protocol["train_samples"]
    assert pairs(cells, "mlp lr=0.05") == [("mlp lr=0.1", "mlp lr=0.05")] * 4
    text = comparisons_text(compared)
    assert "mlp lr=0.1 against mlp lr=0.05 on synthetic n=10, train_samples=500" in text


def test_the_protocol_alone_is_no_other_model(tmp_path: Path) -> None:
    """Nor is more budget or more seeds a reason not to compare."""
    longer = Planned(protocol={"budget": 32_000})
    other = Planned("mlp lr=0.05", recipe={"lr": 0.05}, protocol={"resolution": 0.1, "seeds": 8})
    cells = planned_cells(tmp_path, Planned(), longer, other)
    assert pairs(cells[:2]) == [] and len(pairs(cells)) == 2
    (one,) = compare_models(cells, "mlp lr=0.1")
    assert one.cells[1] is cells[0], "the one that was watched longest"


def test_a_baseline_that_may_be_several_is_refused(rates: list[MeasuredCell]) -> None:
    for cells in (rates[1:], rates[1:3]):
        with pytest.raises(ConfigurationError, match=r"mlp lr=0\.05 or mlp lr=0\.2.*enough fields"):
            compare_models(cells, "mlp")
    with pytest.raises(ConfigurationError, match="write field=value"):
        compare_models(rates, "mlp x")


def test_a_baseline_that_is_not_there_says_what_is(rates: list[MeasuredCell]) -> None:
    for reference in ("mpl", "mlp lr=7", "mlp heads=4"):
        with pytest.raises(UnknownNameError, match=r"no model .* \(models: mlp, mlp lr=0\.05"):
            compare_models(rates, reference)
