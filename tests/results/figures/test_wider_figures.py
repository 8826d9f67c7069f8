"""Pictures of several test sets, of curves, and of a ceiling in place of the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from synthbench.results.results import CellResult, Results
from tests.results.synthetic import FAR, PLACES, Setting, make_cells


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    settings = [Setting(ceiling="oracle", target_score=0.8), Setting("cnn", ceiling="oracle")]
    cells = make_cells(tmp_path_factory.mktemp("cells"), settings)
    return Results([CellResult(cell, True) for cell in cells])


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def notes(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_one_line_for_each_test_set(results: Results) -> None:
    panels = results.plot("test-sets").axes
    assert len(panels) == 2
    for panel, cell in zip(panels, results, strict=True):
        assert [label.partition(":")[0] for label in legend(panel)] == ["accuracy", FAR]
        assert legend(panel)[0].endswith("ranked") and "ranked" not in legend(panel)[1]
        _, (median,) = cell.measured.trajectories.quantiles(FAR, [0.5])
        np.testing.assert_array_equal(panel.lines[1].get_ydata(), median[1:])


def test_a_row_for_each_curve_with_its_references(results: Results) -> None:
    panels = [axes for axes in results[:1].plot("curves").axes if axes.get_title(loc="left")]
    left, right, probe, _ = panels
    assert legend(left)[-3:] == ["trivial", "unigram", "oracle"]
    assert not {"trivial", "oracle"} & set(legend(probe)), "a probe has no references"
    np.testing.assert_allclose(left.lines[-1].get_ydata(), np.linspace(0.2, 0.9, PLACES))
    _, (median,) = results[0].measured.trajectories.quantiles("excess", [0.5])
    np.testing.assert_array_equal(left.lines[0].get_ydata(), median[1])
    drawn = np.ma.filled(right.collections[0].get_array(), np.nan)
    np.testing.assert_array_equal(drawn.reshape(PLACES, -1), median[1:].T)


def test_lines_of_the_right_set_the_ceiling_and_the_raw_target(results: Results) -> None:
    near, far = results.plot().axes[0], results[1:].scored_by(FAR).plot().axes[0]
    assert notes(near) == ["trivial", "unigram", "oracle", "target 0.8"]
    assert [float(line.get_ydata()[0]) for line in near.lines[-4:]] == pytest.approx(
        [0.507, 0.707, 1.007, 0.8]
    )
    assert notes(far)[:3] == ["trivial", "unigram", "oracle"]
    assert float(far.lines[-2].get_ydata()[0]) == pytest.approx(0.907)
    bar = results.plot("transition-raster").axes[-1]
    assert "1 oracle" in bar.get_ylabel()


def test_survival_by_another_score_ends_where_replicas_stopped(results: Results) -> None:
    by_far = results.scored_by(FAR)
    panel = by_far.plot("survival").axes[0]
    last = [cell.measured.metrics.reached.times.max() for cell in by_far]
    assert [line.get_xdata()[-1] for line in panel.lines[::2][:2]] == last
    assert "> 64k" not in legend(panel)[0] and "median >" in legend(panel)[0]
