"""The heat map: every number in its place, what is beyond the budget, what was not trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from synthbench.errors import ConfigurationError, NothingToDrawError, UnknownNameError
from synthbench.metrics.formatting import format_count
from synthbench.results.figures import draw
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.measures import find_measure, measures
from synthbench.results.measured_cell import MeasuredCell
from tests.results.figures.studies import grid, models, results
from tests.results.planned import Planned, planned_cells


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> list[MeasuredCell]:
    return grid(tmp_path_factory.mktemp("grid"))


def squares(axes: Axes) -> dict[tuple[float, float], Rectangle]:
    """The rectangles by the place of their centre."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return {(patch.get_x() + 0.5, patch.get_y() + 0.5): patch for patch in found}


def numbers(axes: Axes) -> dict[tuple[float, float], str]:
    return {text.get_position(): text.get_text() for text in axes.texts}


def test_every_metric_of_the_table_can_be_drawn_and_is_the_same_number(
    study: list[MeasuredCell],
) -> None:
    table, known = results(study).table(), measures(study)
    metrics = {name for name in table.columns if f"{name}_low" in table.columns}
    metrics |= {"replicas", "solved", "diverged", "parameters", "state_size", "flops_per_sample"}
    metrics |= {"random_search_cv", "random_search_p"}
    assert metrics <= set(known)
    for name in metrics:
        found = [known[name].of(cell).value for cell in study]
        np.testing.assert_array_equal(np.array(found, float), table[name].to_numpy(float))


def test_each_square_has_its_number_and_its_colour(study: list[MeasuredCell]) -> None:
    figure = results(study).plot("heatmap", value="samples_to_target")
    panel, bar = figure.axes
    table = results(study).table()
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["10", "20", "40"]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["8", "64"]
    drawn, written = squares(panel), numbers(panel)
    assert set(drawn) == set(written) and len(drawn) == 5, "what was not trained is blank"
    order = []
    for (column, row), text in written.items():
        n, width = (10, 20, 40)[int(column)], (8, 64)[int(row)]
        (cell,) = [
            index
            for index, each in enumerate(study)
            if each.record.task_plan["n"] == n and each.record.model_plan["width"] == width
        ]
        value = table["samples_to_target"][cell]
        if np.isnan(value):
            assert text == "> 64k" and drawn[column, row].get_hatch()
            continue
        assert text == format_count(value) and not drawn[column, row].get_hatch()
        order.append((value, float(np.dot(drawn[column, row].get_facecolor()[:3], [1, 1, 1]))))
    brightness = [bright for _, bright in sorted(order)]
    assert brightness == sorted(brightness, reverse=True), "less is better, and brighter"
    assert " ".join(bar.get_ylabel().split()) == (
        "samples to target (median; hatched: beyond budget; lower is better)"
    )


def test_shares_are_drawn_from_0_to_1(study: list[MeasuredCell]) -> None:
    panel, bar = results(study).plot("heatmap").axes
    assert bar.get_ylim() == (0, 1)
    assert " ".join(bar.get_ylabel().split()) == "share solved (higher is better)"
    assert set(numbers(panel).values()) == {"0.00", "1.00"}
    assert not any(square.get_hatch() for square in squares(panel).values())
    shares = results(study).plot("heatmap", value="solved_share").axes[0]
    assert numbers(shares) == numbers(panel)


def test_axes_can_be_chosen_by_any_of_a_fields_names(study: list[MeasuredCell]) -> None:
    panel = results(study).plot("heatmap", x="model.width", y="task.n").axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("width", "n")
    other = results(study).plot("heatmap", x="width").axes[0]
    assert (other.get_xlabel(), other.get_ylabel()) == ("width", "n")


def test_a_panel_for_each_value_of_a_third_field(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(f"mlp width={width}", f"synthetic n={n}", {"n": n}, {"width": width},
                    {"lr": lr}, speed=n * lr)
            for n in (10, 20) for width in (8, 64) for lr in (0.1, 0.3)
        ),
    )  # fmt: skip
    figure = results(cells).plot("heatmap", x="n", y="width")
    titles = [axes.get_title(loc="left") for axes in figure.axes[:2]]
    assert titles == ["synthetic, mlp lr=0.1", "synthetic, mlp lr=0.3"]
    with pytest.raises(NothingToDrawError, match=r"several fields vary \(n, model.width, lr\)"):
        results(cells).plot("heatmap")


def test_names_of_models_are_a_field(tmp_path: Path) -> None:
    cells = planned_cells(
        tmp_path,
        *(
            Planned(model, f"synthetic n={n}", {"n": n}, {"name": model})
            for n in (10, 20) for model in ("mlp", "cnn")
        ),
    )  # fmt: skip
    panel = results(cells).plot("heatmap", y="model").axes[0]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["mlp", "cnn"]


def test_numbers_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    cells = grid(tmp_path, sizes=tuple(range(10, 22)), widths=(8, 64))
    wide = results(cells).plot("heatmap", value="samples_to_target", size=(12, 3))
    narrow = results(cells).plot("heatmap", value="samples_to_target", size="column")
    assert len(wide.axes[0].texts) == 23 and not narrow.axes[0].texts


def test_mistakes_say_what_is_there(study: list[MeasuredCell], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='"samples_to_taget"; did you mean "samples_to_ta'):
        results(study).plot("heatmap", value="samples_to_taget")
    with pytest.raises(ConfigurationError, match='no field "widht"; did you mean "width"'):
        results(study).plot("heatmap", x="widht")
    with pytest.raises(NothingToDrawError, match=r'"lr" is the same in all .*\(.*n, model.width'):
        results(study).plot("heatmap", x="lr")
    with pytest.raises(ConfigurationError, match="two different fields"):
        results(study).plot("heatmap", x="n", y="task.n")
    with pytest.raises(NothingToDrawError, match=r"two fields.*\(these differ in model.width\)"):
        results(models(tmp_path, 2)).plot("heatmap")
    with pytest.raises(ConfigurationError, match="group goes with the kind scaling"):
        results(study).plot("heatmap", group="n")


def test_its_numbers_are_those_of_the_table(study: list[MeasuredCell]) -> None:
    table = draw(study, "heatmap", encoding=Encoding(value="samples_to_target")).table()
    whole = results(study).table()
    assert table["n"].tolist() == [10, 10, 20, 20, 40]
    assert table["model.width"].tolist() == [8, 64, 8, 64, 64]
    for name in ("samples_to_target", "samples_to_target_low", "samples_to_target_high"):
        np.testing.assert_array_equal(table[name].to_numpy(float), whole[name].to_numpy(float))
    assert table["beyond"].tolist() == [64_000] * 5
    assert find_measure("solved_share", study).name == "success_rate"
