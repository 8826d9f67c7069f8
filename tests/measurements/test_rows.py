"""Rows of measurements as a table, as quantities, and as pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, NothingToShowError, UnknownNameError
from synthbench.measurements.figures import check_measured, draw_measured
from synthbench.measurements.points import point_of
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.measuring import MeasuredGrid, measure_grid
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding


@pytest.fixture
def rows(grid: MeasuredGrid) -> MeasuredRows:
    """Two kinds of three sizes."""
    wide = replace(grid, references=["powers size=[2,4,8] kind=[plain,other]"], seeds=8)
    return measure_grid(replace(wide, seeds=7), sb.Silent())


def value(quantity: str, rows: MeasuredRows) -> float:
    claim = sb.Claim(name="a", says="a", source="a", quantity=quantity, holds="> 0")
    (judged,) = sb.judge([claim], rows)
    return judged.value


def test_the_table_has_fields_seeds_and_numbers(rows: MeasuredRows) -> None:
    table = rows.table()
    assert list(table.columns) == [
        "measurement", "size", "power", "kind", "seed", "cost", "odd", "is_large",
    ]  # fmt: skip
    assert len(table) == 6 * 7 and set(table["seed"]) == set(range(7))
    assert rows.varying.names == ("size", "kind")


def test_quantities(rows: MeasuredRows) -> None:
    assert value("exponent(median(cost, where=kind == 'plain'), by=size)", rows) == pytest.approx(2)
    assert value("median(cost, where=size == 2)", rows) == 4 * 4
    assert value("share(is_large == 1)", rows) == pytest.approx(1 / 3)
    assert value("share(odd == 1, where=size == 2)", rows) == pytest.approx(3 / 7)
    assert value("mean(odd)", rows) == 1, "rows without a number are left out"
    assert value("superiority(cost, where=size == 2, than=size == 4)", rows) > 0.5
    assert value("median(last(cost), where=size == 2)", rows) == 16, "measured once"


def test_what_never_comes_is_more_than_all_else(grid: MeasuredGrid) -> None:
    rows = measure_grid(replace(grid, references=["powers"], seeds=8), sb.Silent())
    assert value("quantile(0.99, cost)", rows) == np.inf
    assert value("share(cost < inf)", rows) == 7 / 8


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("median(coast)", 'no column "coast"; did you mean "cost"'),
        ("median(when(cost > 1))", "rows that were measured have no evaluations"),
        ("median(at(10, cost))", "rows that were measured have no evaluations"),
        ("median(cost, where=size == 3)", r"no replica meets size == 3 \(size is 2, 4, 8\)"),
    ],
)
def test_quantities_that_do_not_fit(quantity: str, message: str, rows: MeasuredRows) -> None:
    with pytest.raises((ConfigurationError, UnknownNameError), match=message):
        value(quantity, rows)


def test_no_rows_have_no_verdict() -> None:
    with pytest.raises(ConfigurationError, match="measure something first"):
        value("median(cost)", MeasuredRows(()))


def test_points() -> None:
    median = point_of(np.array([1.0, 2.0, np.nan, 3.0, 4.0, 5.0, 6.0, 7.0]))
    assert (median.value, median.low, median.high) == (4, 1, 7)
    share = point_of(np.array([1.0, 0.0, 1.0, 1.0]))
    assert share.value == 0.75 and share.low is not None and 0 < share.low < 0.75
    assert point_of(np.array([1.0, np.inf, np.inf])).value is None
    assert point_of(np.array([np.nan])).value is None


def test_scaling(rows: MeasuredRows) -> None:
    picture = draw_measured(rows, "scaling", None, Canvas(), Encoding(x="size", value="cost"))
    table = picture.table()
    assert list(table["cost"]) == [16, 64, 256] * 2
    labels = picture.panels[0].get_legend_handles_labels()[1]
    assert [label.partition(":")[0] for label in labels] == ["kind=plain", "kind=other"]
    assert all("exponent 2.0" in label for label in labels)
    shares = draw_measured(
        rows, "scaling", "kind == 'plain'", Canvas(), Encoding(x="size", value="is_large")
    )
    assert list(shares.table()["is_large"]) == [0, 0, 1]
    assert shares.panels[0].get_ylim()[1] == 1.04
    # A line that nothing tells from others is called as the axis.
    assert shares.panels[0].get_legend_handles_labels()[1] == ["is large"]


def test_a_field_that_follows_from_the_axis_parts_no_line(grid: MeasuredGrid) -> None:
    both = ["powers size=2 power=2 kind=[a,b]", "powers size=4 power=3 kind=[a,b]"]
    rows = measure_grid(replace(grid, references=both), sb.Silent())
    drawn = Encoding(x="size", value="cost", group="kind")
    picture = draw_measured(rows, "scaling", None, Canvas(), drawn)
    assert list(picture.table()["cost"]) == [12, 192] * 2
    alone = draw_measured(rows, "scaling", None, Canvas(), replace(drawn, group="power"))
    assert list(alone.table()["cost"]) == [12, 12, 192, 192]


def test_heatmap(rows: MeasuredRows) -> None:
    encoding = Encoding(x="size", y="kind", value="cost")
    picture = draw_measured(rows, "heatmap", None, Canvas(), encoding)
    assert len(picture.panels) == 1 and sorted(picture.table()["cost"]) == [
        16,
        16,
        64,
        64,
        256,
        256,
    ]
    texts = {text.get_text() for text in picture.panels[0].texts}
    assert texts == {"16", "64", "256"}


def test_pictures_that_cannot_be(rows: MeasuredRows) -> None:
    with pytest.raises(NothingToShowError, match="no row meets size == 3"):
        draw_measured(rows, "scaling", "size == 3", Canvas(), Encoding(x="size", value="cost"))
    with pytest.raises(ConfigurationError, match='"kind" is no number'):
        draw_measured(rows, "scaling", None, Canvas(), Encoding(x="size", value="kind"))
    with pytest.raises(ConfigurationError, match='there is no "survival"; take scaling or heat'):
        check_measured("survival", Encoding())
    with pytest.raises(ConfigurationError, match="a heatmap of measurements needs y and value"):
        check_measured("heatmap", Encoding(x="size"))
    with pytest.raises(ConfigurationError, match="measurements have no score"):
        check_measured("scaling", Encoding(x="size", value="cost"), scored=True)
