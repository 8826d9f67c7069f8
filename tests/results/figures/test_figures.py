"""Every kind of picture, drawn from cells that were really trained.

`pytest -m slow` writes each kind as PNG and SVG; of all kinds, one is written by default.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import synthbench as sb
from synthbench.errors import ConfigurationError, NothingToDrawError, UnknownNameError
from synthbench.metrics.survival import survival_curve
from synthbench.registry.registry import installed
from synthbench.results.figures import KINDS
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.rendering import save_figure
from synthbench.results.figures.style import COLOURS, STYLES


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    registry = installed()
    protocol = sb.Protocol(budget=12_800, seeds=6, evaluation_samples=256)
    cells = [
        sb.Cell(registry.task(task), registry.model(model), protocol,
                (registry.probe("weight-movement"),))
        for task in ("sparse-parity n=8 k=2", "sparse-parity n=10 k=2")
        for model in ("mlp width=16", "mlp width=64")
    ]  # fmt: skip
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=6)
    return sb.evaluate_cells(cells, tmp_path_factory.mktemp("runs"), settings)


Drawn = Callable[[str], Figure]


@pytest.fixture(scope="module")
def drawn(results: sb.Results) -> Drawn:
    """The picture of each kind, drawn once for all who only look at it."""
    return cache(lambda kind: results.plot(kind, "n" if kind == "scaling" else None))


DRAWN = [kind for kind in KINDS if kind not in ("test-sets", "curves", "tuning")]


@pytest.mark.parametrize("kind", DRAWN)
def test_every_kind_names_its_axes(drawn: Drawn, kind: str) -> None:
    panels = [axes for axes in drawn(kind).axes if axes.get_title(loc="left")]
    assert panels
    for axes in panels:
        assert axes.get_xlabel() and axes.get_ylabel()


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.slow] if kind != "scaling" else []) for kind in DRAWN],
)
def test_every_kind_is_written_as_png_and_svg(drawn: Drawn, kind: str, tmp_path: Path) -> None:
    paths = [tmp_path / "picture.png", tmp_path / "picture.svg"]
    save_figure(drawn(kind), paths)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[1].read_bytes()[:2000]


def test_models_are_told_apart_by_style_and_by_colour(drawn: Drawn) -> None:
    panel = drawn("survival").axes[0]
    lines = [line for line in panel.lines if "median" in str(line.get_label())]
    assert len(lines) == 2
    assert len({line.get_linestyle() for line in lines}) == 2
    assert len({line.get_color() for line in lines}) == 2


def test_the_first_colours_differ_in_greyscale() -> None:
    # Rec. 709 luma; a line style tells apart what comes after.
    grey = [float(np.dot(to_rgb(c), (0.2126, 0.7152, 0.0722))) for c in COLOURS[:2]]
    assert abs(grey[0] - grey[1]) > 0.05 and len(set(STYLES)) == len(STYLES)


def test_survival_draws_the_curve(results: sb.Results, drawn: Drawn) -> None:
    cell = results.measured[0]
    curve = survival_curve(cell.metrics.reached.times, cell.metrics.reached.solved)
    line = drawn("survival").axes[0].lines[0]
    assert line.get_ydata()[1:-1].tolist() == curve.survival.tolist()
    assert line.get_xdata()[1:-1].tolist() == curve.times.tolist()


def test_the_raster_is_sorted_by_midpoint(drawn: Drawn) -> None:
    dots = drawn("raster").axes[0].lines[0].get_xdata()
    assert len(dots) > 4 and (np.diff(dots) >= 0).all()


def test_the_scaling_label_carries_the_exponent(drawn: Drawn) -> None:
    (panel,) = drawn("scaling").axes
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert len(labels) == 2 and all("exponent" in label and "[" in label for label in labels)


def test_what_cannot_be_drawn_says_why(results: sb.Results) -> None:
    with pytest.raises(UnknownNameError, match='did you mean "survival"'):
        results.plot("survivl")
    with pytest.raises(NothingToDrawError, match="several fields vary"):
        results.plot("scaling")
    with pytest.raises(NothingToDrawError, match='no two cells differ in "k" alone'):
        results.plot("scaling", "k")
    with pytest.raises(ConfigurationError, match="x goes with the kind heatmap or scaling"):
        results.plot("survival", "n")
    with pytest.raises(NothingToDrawError, match="several sizes"):
        results[0].plot("scaling")
    with pytest.raises(NothingToDrawError, match="one test set"):
        results.plot("test-sets")
    with pytest.raises(NothingToDrawError, match="is a curve"):
        results.plot("curves")


def test_pictures_of_replicas_that_never_learn(
    small_cell: sb.Cell, settings: sb.Settings, out: Path
) -> None:
    hard = sb.Cell(
        installed().task("sparse-parity n=30 k=5"), small_cell.model,
        sb.Protocol(budget=320, seeds=3, evaluation_samples=256),
    )  # fmt: skip
    results = sb.evaluate_cells([hard], out, settings)
    for kind in ("learning-curves", "survival", "raster"):
        results.plot(kind).draw_without_rendering()
    with pytest.raises(NothingToDrawError, match="fewer than four replicas"):
        results.plot("random-search")
    with pytest.raises(NothingToDrawError, match="--probe"):
        results.plot("probes")


def test_a_label_is_not_a_formula(drawn: Drawn) -> None:
    panel = drawn("survival").axes[0]
    assert not panel._left_title.get_parse_math()


@pytest.mark.filterwarnings("error")
def test_pictures_of_replicas_that_all_diverge_at_once(settings: sb.Settings, out: Path) -> None:
    registry = installed()
    cell = sb.Cell(
        registry.task("sparse-parity n=8 k=2"),
        registry.model("mlp width=8 lr=1e30 activation=power exponent=3"),
        sb.Protocol(budget=640, seeds=5, evaluation_samples=256),
        (registry.probe("weight-movement"),),
    )
    (result,) = sb.evaluate_cells([cell], out, settings)
    assert result.record.summary.diverged == 5 and result.metrics.regret.value == 1
    for kind in ("learning-curves", "survival", "raster", "probes"):
        result.plot(kind).draw_without_rendering()
    assert len(result.table()) == 1


def test_titles_stay_over_their_panel_and_legends_below_the_axis() -> None:
    picture = Canvas().picture(2)
    panel = picture.panels[0]
    model = "transformer layers=1 width=8 optimizer=adam lr=0.01 batch_size=full start=mlp@50"
    panel.plot([1, 2], label="a")
    panel.set_xlabel("samples")
    picture.finish(panel, f"keyed-xor\n{model}: midpoint 32 [0, > 6.40k]")
    figure = picture.settle().figure
    title = panel.get_title(loc="center")
    assert title.replace("\n", " ") == f"keyed-xor {model}: midpoint 32 [0, > 6.40k]"
    assert "[0, > 6.40k]" in title
    written = panel.title.get_window_extent()
    assert written.x1 < figure.axes[1].get_window_extent().x0
    name = panel.xaxis.label.get_window_extent()
    assert panel.get_legend().get_window_extent().y1 < name.y0


def test_the_probes_that_are_asked_for_are_drawn(tmp_path: Path, settings: sb.Settings) -> None:
    registry = installed()
    probes = registry.probe("weight-movement"), registry.probe("fourier-gap")
    cell = sb.Cell(
        registry.task("sparse-parity n=8 k=2"), registry.model("mlp width=8"),
        sb.Protocol(budget=640, seeds=4, evaluation_samples=256), probes,
    )  # fmt: skip
    results = sb.evaluate_cells([cell], tmp_path, settings)
    measured = results[0].measured.trajectories.probes
    last = measured[-1]

    def drawn(*names: str) -> list[str]:
        (panel,) = results.plot("probes", probes=names or None).axes
        labels = [text.get_text() for text in panel.get_legend().get_texts()]
        return [label.partition(":")[0] for label in labels][1:]

    assert drawn() == measured
    movement = [name for name in measured if name.startswith("weight-movement/")]
    assert drawn(last, "weight-movement") == [last, *movement]
    assert drawn("weight-movement/l2", "weight-movement")[0] == "weight-movement/l2"
    assert len(drawn("weight-movement/l2", "weight-movement")) == len(movement)
    with pytest.raises(
        UnknownNameError, match='no probe "weigth-movement"; did you mean "weight-m'
    ):
        drawn("weigth-movement")
    with pytest.raises(ConfigurationError, match="probes goes with the kind probes, not with surv"):
        results.plot("survival", probes=["weight-movement"])
