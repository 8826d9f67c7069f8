"""The user's settings hold, a style sheet wins, and files keep their text."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import matplotlib
import matplotlib.style
import pytest
from cycler import cycler
from matplotlib.figure import Figure

from synthbench.errors import ConfigurationError
from synthbench.results.figures import draw
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.rendering import rendered
from synthbench.results.figures.style import COLOURS
from synthbench.results.results import Results
from tests.results.figures.studies import grid, models, results


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return results(models(tmp_path_factory.mktemp("two"), 2))


def median_lines(figure: Figure) -> list:
    return [line for line in figure.axes[0].lines if "median" in str(line.get_label())]


def test_settings_of_the_user_hold_and_are_left_alone(two: Results) -> None:
    wishes = {
        "font.size": 13,
        "lines.linewidth": 5,
        "axes.spines.top": True,
        "figure.dpi": 77,
        "axes.prop_cycle": cycler(color=["#123456", "#654321"], linestyle=[":", "-"]),
    }
    before = dict(matplotlib.rcParams)
    ours = two.plot("survival")
    assert dict(matplotlib.rcParams) == before
    assert [line.get_color() for line in median_lines(ours)] == list(COLOURS[:2])
    assert not ours.axes[0].spines["top"].get_visible() and ours.get_dpi() == 150
    with matplotlib.rc_context(wishes):
        theirs = two.plot("survival", size="column")
    lines = median_lines(theirs)
    assert [line.get_color() for line in lines] == ["#123456", "#654321"]
    assert [line.get_linestyle() for line in lines] == [":", "-"]
    assert lines[0].get_linewidth() == 5
    assert theirs.axes[0].xaxis.label.get_fontsize() == 13
    # "axes.spines.top" is at matplotlib's own default, so it is ours to choose.
    assert not theirs.axes[0].spines["top"].get_visible() and theirs.get_dpi() == 77


def test_the_users_figure_size_holds_where_none_is_asked_for(two: Results) -> None:
    with matplotlib.rc_context({"figure.figsize": (4.0, 3.5)}):
        assert two.plot("survival").get_size_inches().tolist() == [4.0, 3.5]
        assert two.plot("survival", size=(5, 4)).get_size_inches().tolist() == [5.0, 4.0]


def test_a_style_sheet_wins(two: Results, tmp_path: Path) -> None:
    sheet = tmp_path / "mine.mplstyle"
    # The second is matplotlib's own default, which only a style sheet can insist on.
    sheet.write_text("lines.linewidth: 4.5\naxes.spines.right: True\n")
    picture = draw(two.measured, "survival", Canvas(style=str(sheet)))
    assert median_lines(picture.figure)[0].get_linewidth() == 4.5
    assert picture.figure.axes[0].spines["right"].get_visible()
    named = draw(two.measured, "survival", Canvas(style="ggplot")).figure
    cycle = matplotlib.style.library["ggplot"]["axes.prop_cycle"].by_key()["color"]
    assert [line.get_color() for line in median_lines(named)] == cycle[:2]
    with pytest.raises(ConfigurationError, match='no style "gplot"; did you mean "ggplot"'):
        draw(two.measured, "survival", Canvas(style="gplot"))
    with pytest.raises(ConfigurationError, match="no style"):
        draw(two.measured, "survival", Canvas(style=str(tmp_path / "absent.mplstyle")))


def test_axes_of_the_user_are_drawn_into(two: Results) -> None:
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    assert two.plot("survival", ax=right) is figure
    assert not left.lines and len(median_lines(figure)) == 0
    assert [line.get_label().split(":")[0] for line in right.lines[:3:2]] == [
        "width=10",
        "width=20",
    ]
    assert figure.get_size_inches().tolist() == matplotlib.rcParams["figure.figsize"]
    legend = right.get_legend().get_window_extent()
    assert legend.y1 < right.get_window_extent().y0


def test_axes_for_pictures_of_several_panels_are_refused(two: Results, tmp_path: Path) -> None:
    axes = Figure().subplots()
    several = results(grid(tmp_path))
    with pytest.raises(ConfigurationError, match="this picture has 3 panels, and ax= takes one"):
        several.plot("survival", ax=axes)
    several.plot("heatmap", ax=axes)
    assert len(axes.patches) == 5
    with pytest.raises(ConfigurationError, match="either size or ax"):
        two.plot("survival", ax=axes, size="column")


@pytest.mark.parametrize("size", ["big", "3x", "0.5x3", "3x100", (3.0,), (3.0, 0.0)])
def test_sizes_that_are_none(two: Results, size: str | tuple[float, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"column \(3.25 inches wide\), page \(6.75\)"):
        two.plot("survival", size=size)


def test_text_in_svg_is_text_and_fonts_in_pdf_are_embedded(two: Results) -> None:
    figure = two.plot("survival", size="column")
    svg = rendered(figure, "svg").decode()
    written = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert "training samples per replica" in written and "0.4" in written
    pdf = rendered(figure, "pdf")
    assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf, "TrueType, which editors can change"
    assert b"/Type3" not in pdf


def test_a_figure_saved_by_the_user_has_text_too(two: Results) -> None:
    figure, file = two.plot("survival"), BytesIO()
    figure.savefig(file, format="svg")
    assert b"<text" in file.getvalue()
    with matplotlib.rc_context({"svg.fonttype": "path"}):
        file = BytesIO()
        figure.savefig(file, format="svg")
    # "path" is matplotlib's own default: no wish.
    assert b"<text" in file.getvalue()
