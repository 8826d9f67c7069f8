"""Numbers against a field: the points are those of the table, lines only where they mean it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from synthbench.results.figures import draw
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.measured_cell import MeasuredCell
from tests.results.figures.studies import grid, results
from tests.results.planned import Planned, planned_cells


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> list[MeasuredCell]:
    return grid(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def picture(study: list[MeasuredCell]) -> Picture:
    """A line for each width, drawn once."""
    return draw(study, "scaling", encoding=Encoding("n", group="width"))


def labelled(axes: Axes) -> list[Line2D]:
    """The marks, one line of them for each series."""
    return [line for line in axes.lines if not str(line.get_label()).startswith("_")]


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_points_are_the_medians_of_the_table(study: list[MeasuredCell], picture: Picture) -> None:
    (panel,) = picture.panels
    table = results(study).table()
    for line, width in zip(labelled(panel), (8, 64), strict=True):
        rows = [i for i, c in enumerate(study) if c.record.model_plan["width"] == width]
        known = [row for row in rows if not np.isnan(table["samples_to_target"][row])]
        assert line.get_xdata().tolist() == [study[row].record.task_plan["n"] for row in known]
        assert line.get_ydata().tolist() == table["samples_to_target"][known].tolist()
    arrows = [line for line in panel.lines if "uparrow" in str(line.get_marker())]
    ends = [pair for line in arrows for pair in zip(*line.get_data(), strict=True)]
    assert ends == [(40, 64_000)]
    assert [label.partition(":")[0] for label in legend(panel)] == ["width=8", "width=64"]
    assert panel.get_ylabel().replace("\n", " ") == "samples to target (median; lower is better)"


def test_times_in_another_unit_have_the_same_exponent_where_a_sample_costs_the_same(
    study: list[MeasuredCell], picture: Picture
) -> None:
    (samples,) = picture.panels
    (other,) = results(study).plot("scaling", "n", value="flops_to_target", group="width").axes
    assert legend(samples) == legend(other)
    unit = 1 / study[0].record.flops_per_sample
    for line, same in zip(samples.lines, other.lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.array(same.get_ydata()) * unit)


def test_other_numbers_have_lines_between_and_no_exponent(study: list[MeasuredCell]) -> None:
    (panel,) = results(study).plot("scaling", "n", value="final_score", group="width").axes
    assert legend(panel) == ["width=8", "width=64"]
    between = [
        line for line in panel.lines if len(line.get_xdata()) > 1 and line.get_linestyle() != "None"
    ]
    table = results(study).table()
    assert [len(line.get_xdata()) for line in between if len(line.get_xdata()) == 3] == [3]
    longest = max(between, key=lambda line: len(line.get_xdata()))
    assert longest.get_ydata().tolist() == table["final_score"][[1, 3, 4]].tolist()
    assert panel.get_ylabel() == "final score (higher is better)"


def test_a_field_with_words_or_zero_has_a_place_for_each_value(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned("mlp", recipe={"weight_decay": decay}, speed=1 + place)
            for place, decay in enumerate((0.0, 0.01, 0.1))
        ),
    )
    (panel,) = results(cells).plot("scaling").axes
    assert panel.get_xscale() == "linear" and panel.get_xlabel() == "weight_decay"
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "0.01", "0.1"]
    assert "exponent" not in legend(panel)[0]


def test_cells_of_one_place_are_lines_of_one_colour(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(name, f"synthetic n={n}", {"n": n}, {"name": name}, {"lr": lr}, speed=lr * 10)
            for name in ("mlp", "cnn") for lr in (0.1, 0.3) for n in (10, 20)
        ),
    )  # fmt: skip
    (panel,) = results(cells).plot("scaling", "n", group="model").axes
    marks = labelled(panel)
    colours = [line.get_color() for line in marks]
    assert len(marks) == 4 and colours[0] == colours[1] != colours[2] == colours[3]
    assert [label.partition(":")[0] for label in legend(panel)] == [
        "mlp lr=0.1", "mlp lr=0.3", "cnn lr=0.1", "cnn lr=0.3"
    ]  # fmt: skip


def test_a_budget_that_grows_with_the_size_parts_no_series(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(
                "mlp", f"synthetic n={n}", {"n": n}, protocol={"budget": 64_000 + n}, speed=10 / n
            )
            for n in (10, 20)
        ),
    )
    (panel,) = results(cells).plot("scaling").axes
    assert panel.get_xlabel() == "n" and labelled(panel)[0].get_xdata().tolist() == [10, 20]


def test_the_line_of_a_law_that_its_points_reject_is_thin(tmp_path: Path) -> None:
    """Speeds of 1, 2 and 1 lie on no line; those of 1, 1/2 and 1/4 do."""
    for speeds, rejected in (((0.5, 2.0, 0.5), True), ((1.0, 0.5, 0.25), False)):
        cells = planned_cells(
            tmp_path / str(rejected),
            *(
                Planned("mlp", f"synthetic n={n}", {"n": n}, speed=speed)
                for n, speed in zip((10, 20, 40), speeds, strict=True)
            ),
        )
        (panel,) = results(cells).plot("scaling").axes
        (label,) = legend(panel)
        (law,) = [line for line in panel.lines if len(line.get_xdata()) == 50]
        assert ("rejected" in label) == rejected, label
        assert (law.get_linewidth() < 1) == rejected


def test_a_familys_own_defaults_are_no_fields_that_vary(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(name, f"synthetic n={n}", {"n": n}, {"name": name}, {"lr": lr})
            for name, lr in (("mlp", 0.1), ("cnn", 0.3)) for n in (10, 20)
        ),
    )  # fmt: skip
    (panel,) = results(cells).plot("scaling").axes
    assert [label.partition(":")[0] for label in legend(panel)] == ["mlp", "cnn"]


def test_its_numbers_are_those_drawn(study: list[MeasuredCell], picture: Picture) -> None:
    table = picture.table()
    points = table[table["line"].isna()]
    assert points["series"].tolist() == ["width=8", "width=8", "width=64", "width=64", "width=64"]
    whole = results(study).table()
    for name in ("samples_to_target", "samples_to_target_low", "samples_to_target_high"):
        drawn = points[name].to_numpy(float)
        np.testing.assert_array_equal(drawn, whole[name].to_numpy(float)[[0, 2, 1, 3, 4]])
    law = table[table["line"] == "power law"]
    (line,) = [each for each in picture.panels[0].lines if len(each.get_xdata()) == 50][:1]
    first = law[law["series"] == "width=8"]
    assert first["samples_to_target"].tolist() == line.get_ydata().tolist()
