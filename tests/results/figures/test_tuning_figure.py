"""Trials against each field that was searched, the best of them marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from synthbench.errors import NothingToDrawError
from synthbench.results.figures import draw
from synthbench.results.measured_cell import MeasuredCell
from tests.results.figures.studies import SLOW, models, results, search
from tests.results.planned import Planned, planned_cells


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[MeasuredCell]:
    return search(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def panels(trials: list[MeasuredCell]) -> list[Axes]:
    """Of the picture, drawn once."""
    return results(trials).plot("tuning").axes


def test_a_panel_for_each_field_with_every_trial(
    trials: list[MeasuredCell], panels: list[Axes]
) -> None:
    assert [panel.get_xlabel() for panel in panels] == ["width", "lr"]
    rates = panels[1]
    others, best = [line for line in rates.lines if not str(line.get_label()).startswith("_")]
    table = results(trials).table()["samples_to_target"]
    assert best.get_xdata().tolist() == [0.1] and best.get_ydata().tolist() == [table[2]]
    assert others.get_xdata().tolist() == [0.01, 1.0, 1.0]
    assert others.get_ydata().tolist() == table[[1, 3, 4]].tolist()
    arrows = [line for line in rates.lines if "uparrow" in str(line.get_marker())]
    assert [pair for line in arrows for pair in zip(*line.get_data(), strict=True)] == [
        (0.001, 64_000)
    ]
    assert not [line for line in rates.lines if len(set(line.get_xdata())) > 3], "no line through"


def test_the_band_is_the_interval_of_the_best(
    trials: list[MeasuredCell], panels: list[Axes]
) -> None:
    estimate = trials[2].record.summary.samples_to_target
    for panel in panels:
        (band,) = panel.patches
        ends = band.get_extents().transformed(panel.transData.inverted())
        assert (ends.y0, ends.y1) == pytest.approx((estimate.low, estimate.high))


def test_of_trials_that_are_all_censored_the_one_that_solved_most_is_best(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(Planned(recipe={"lr": lr}, speed=SLOW * (1 + lr)) for lr in (0.1, 0.3, 0.2)),
    )
    picture = draw(cells, "tuning")
    (best,) = [line for line in picture.panels[0].lines if "best" in str(line.get_label())]
    assert best.get_label() == "best: > 64k" and not len(best.get_xdata())
    arrows = [line for line in picture.panels[0].lines if "uparrow" in str(line.get_marker())]
    last = [line for line in arrows if line.get_color() == best.get_color()]
    assert [line.get_xdata().tolist() for line in last] == [[0.3]]


def test_a_row_of_panels_for_each_task_and_model(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(name, f"synthetic n={n}", {"n": n}, {"name": name}, {"lr": lr})
            for n in (10, 20) for name in ("mlp", "cnn") for lr in (0.1, 0.2, 0.3)
        ),
    )  # fmt: skip
    titles = [panel.get_title(loc="left") for panel in results(cells).plot("tuning").axes]
    assert titles == [
        "mlp, synthetic n=10", "cnn, synthetic n=10", "mlp, synthetic n=20", "cnn, synthetic n=20"
    ]  # fmt: skip


def test_too_few_trials_are_no_search(tmp_path: Path) -> None:
    with pytest.raises(NothingToDrawError, match="no model has 3 trials"):
        results(models(tmp_path, 2)).plot("tuning")


def test_its_numbers_are_those_of_the_table(trials: list[MeasuredCell]) -> None:
    table = draw(trials, "tuning").table()
    whole = results(trials).table()["samples_to_target"].to_numpy(float)
    for field, values in (("model.width", [8, 8, 32, 8, 32]), ("lr", [0.001, 0.01, 0.1, 1, 1])):
        rows = table[table["field"] == field]
        assert rows["value"].tolist() == values
        np.testing.assert_array_equal(rows["samples_to_target"].to_numpy(float), whole)
    assert table["best"].tolist() == [False, False, True, False, False] * 2


def test_rates_drawn_at_random_have_round_ticks(tmp_path: Path) -> None:
    rates = [0.00111, 0.00557, 0.00865, 0.0226, 0.0566, 0.098, 0.356, 0.493]
    cells = planned_cells(tmp_path, *(Planned(recipe={"lr": lr}, speed=lr * 10) for lr in rates))
    figure = results(cells).plot("tuning", size="column")
    figure.draw_without_rendering()
    words = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert words == ["0.001", "0.003", "0.01", "0.03", "0.1", "0.3"]
