"""Nothing lies on anything else: every text of every kind, at the width of a column and a page.

By default at the width of a column, where room is shortest, and of as many models as a study has;
`pytest -m slow` adds the width of a page and a single model.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from synthbench.results.figures import KINDS
from synthbench.results.figures.layout import spread, text_width, wrapped
from synthbench.results.figures.ticks import count_ticks
from synthbench.results.measured_cell import MeasuredCell
from tests.results.figures.studies import grid, models, results, search
from tests.results.planned import Planned, planned_cells

OWN = {"scaling": grid, "heatmap": grid, "tuning": search}
"""Kinds that need a study of their own; the others take models of one task."""
MOST = {"raster": 3, "probes": 3, "test-sets": 3, "curves": 1}
SMALLEST = 6.0
"""Points of letters that can still be read."""


def texts(figure: Figure) -> Iterator[Text]:
    """Everything written, less names of ticks beyond the ends of an axis."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    yield from (tick.label1, tick.label2)
            yield axis.label
        yield from (axes.title, axes._left_title, *axes.texts)
        if (legend := axes.get_legend()) is not None:
            yield from legend.get_texts()


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    figure.draw_without_rendering()
    written = [text for text in texts(figure) if text.get_visible() and text.get_text()]
    assert min(text.get_fontsize() for text in written) >= SMALLEST
    # Half a point less at each side: letters do not fill their boxes.
    shrink = -0.5 * figure.dpi / 72
    # Of a note the text alone, without the line that leads to it.
    return [(t.get_text(), Text.get_window_extent(t).padded(shrink)) for t in written]


def check(figure: Figure) -> None:
    found = boxes(figure)
    for (name, box), (other, its) in combinations(found, 2):
        assert not box.overlaps(its), f"{name!r} lies on {other!r}"
    whole = figure.bbox.padded(1)
    for name, box in found:
        assert whole.containsx(box.x0) and whole.containsx(box.x1), f"{name!r} is cut"
        assert whole.containsy(box.y0) and whole.containsy(box.y1), f"{name!r} is cut"
    panels = [axes.get_window_extent().padded(-1) for axes in figure.axes]
    for axes in figure.axes:
        if (legend := axes.get_legend()) is not None:
            covered = legend.get_window_extent()
            assert not any(panel.overlaps(covered) for panel in panels), "a legend covers a panel"


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[MeasuredCell]]:
    folder = tmp_path_factory.mktemp("studies")
    found = {kind: make(folder / kind) for kind, make in OWN.items()}
    return found | {str(count): models(folder / str(count), count) for count in (1, 8)}


@pytest.mark.parametrize("size", ["column", pytest.param("page", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_overlaps(studies: dict[str, list[MeasuredCell]], kind: str, size: str) -> None:
    # Of kinds with panels for each cell, as many as tell whether those keep apart.
    chosen = studies[kind if kind in OWN else "8"][: MOST.get(kind)]
    figure = results(chosen).plot(kind, "n" if kind == "scaling" else None, size=size)
    assert figure.get_figwidth() == {"column": 3.25, "page": 6.75}[size]
    check(figure)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["column", "page"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OWN and kind not in MOST])
def test_nothing_overlaps_of_one(
    studies: dict[str, list[MeasuredCell]], kind: str, size: str
) -> None:
    check(results(studies["1"]).plot(kind, size=size))


@pytest.mark.parametrize(
    "kind",
    [
        "survival",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("learning-curves", "random-search")),
    ],
)
def test_long_names_are_wrapped(tmp_path: Path, kind: str) -> None:
    long = {"optimizer": {"name": "shampoo", "preconditioner_decay": 0.999, "grafting": "adam"}}
    cells = planned_cells(
        tmp_path,
        *(Planned("mlp", recipe=long | {"lr": lr}, model={"name": name}, speed=lr * 10)
          for name, lr in (("mlp", 0.1), ("a-model-whose-name-is-longer-than-most", 0.2))),
    )  # fmt: skip
    check(results(cells).plot(kind, size="column"))


def test_a_long_legend_has_names_alone(tmp_path: Path) -> None:
    figure = results(models(tmp_path, 13)).plot("survival", size="page")
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == [f"width={10 * place}" for place in range(1, 14)]
    check(figure)


def test_a_figure_grows_by_its_legend_and_its_panels_do_not_shrink(
    studies: dict[str, list[MeasuredCell]],
) -> None:
    one, eight = (results(studies[count]).plot("survival", size="column") for count in ("1", "8"))
    assert eight.get_figheight() > one.get_figheight() + 0.5
    heights = [figure.axes[0].get_window_extent().height for figure in (one, eight)]
    assert heights[1] == pytest.approx(heights[0], rel=0.05)


def test_a_size_in_inches_is_kept(studies: dict[str, list[MeasuredCell]]) -> None:
    figure = results(studies["8"]).plot("survival", size="5x4.5")
    assert figure.get_size_inches().tolist() == [5.0, 4.5]
    check(figure)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=9),
    st.floats(0.1, 5),
)
def test_spread_places_keep_their_order_and_their_distance(places: list[float], gap: float) -> None:
    wanted, low, high = np.array(places), -100.0, 100.0
    moved = spread(wanted, gap, low, high)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert moved.min() >= low - 1e-9 and moved.max() <= high + 1e-9
    apart = np.diff(wanted[order])
    if (apart >= gap).all() and wanted.max() <= high - gap * len(places):
        np.testing.assert_allclose(moved, wanted, atol=1e-9)


def test_lines_fit_and_intervals_stay_whole() -> None:
    font = FontProperties(size=8)
    words = "width=10 lr=0.05: median 5.6k [4.9k, > 7.4k], p = 0.001"
    lines = wrapped(words, 100, font).split("\n")
    assert len(lines) > 1 and " ".join(lines) == words
    assert all(text_width(line, font) <= 100 for line in lines)
    assert any("[4.9k, > 7.4k]" in line for line in lines)
    torn = wrapped("abcdefghij" * 10, 100, font).split("\n")
    assert "".join(torn) == "abcdefghij" * 10
    assert all(text_width(line, font) <= 100 for line in torn)


@given(st.floats(0, 12), st.floats(0.05, 9), st.floats(0.02, 2))
def test_ticks_are_round_inside_and_apart(start: float, decades: float, apart: float) -> None:
    low, high = 10**start, 10 ** (start + decades)
    ticks = count_ticks(low, high, apart)
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    for one, other in pairwise(np.log10(ticks)):
        assert other - one >= apart * 0.999
    if decades > 1.05 and apart < decades / 3:
        assert len(ticks) >= 2
