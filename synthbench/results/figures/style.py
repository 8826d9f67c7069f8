"""How every picture looks: what we choose of matplotlib's settings where the user has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from synthbench.errors import ConfigurationError, did_you_mean, first_line

# Okabe & Ito 2008: told apart by colour-blind readers; the line styles and markers by
# greyscale ones.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
GREY = "0.35"
SAMPLES = "training samples per replica"

SCREEN: Mapping[Any, Any] = {
    "figure.dpi": 150,
    "lines.linewidth": 2.0,
    "image.cmap": "cividis",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": "medium",
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "legend.fontsize": "small",
    "legend.frameon": False,
    # Text stays text: to be searched, edited and set in the paper's own face.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
"""Of pictures on a screen and in a notebook."""
PAPER: Mapping[Any, Any] = {
    **SCREEN,
    "figure.dpi": 300,
    "font.size": 8,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.5,
    "axes.titlepad": 4,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "legend.handlelength": 1.8,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.3,
    "hatch.linewidth": 0.5,
}
"""Of pictures whose size is given: the smallest letters are 6.7 points high."""


@contextmanager
def look(*, paper: bool = False, style: str | None = None) -> Iterator[None]:
    """Settings of matplotlib while a picture is drawn and written.

    Ours are taken for what is at matplotlib's own default, so that a user's `rcParams` hold;
    then a style, by its name or its file. Raises ConfigurationError for a style that is not there.
    """
    from matplotlib import rc_context, rcParams, rcParamsDefault

    ours = PAPER if paper else SCREEN
    unset = {key: value for key, value in ours.items() if rcParams[key] == rcParamsDefault[key]}
    with rc_context(unset):
        if style is not None:
            _use(style)
        yield


def _use(style: str) -> None:
    import matplotlib.style

    try:
        matplotlib.style.use(style)
    except OSError as error:
        known = matplotlib.style.available
        raise ConfigurationError(
            f'no style "{style}"{did_you_mean(style, known)}; give the file of one, or a name of '
            f"matplotlib's, such as {', '.join(known[:3])} ({first_line(error)})"
        ) from None


def colour(index: int) -> str:
    """Colour of the series with this index; ours where the user has no cycle of their own."""
    return str(_cycled("color", COLOURS, index))


def line_style(index: int) -> Any:
    """Line style of the series with this index."""
    return _cycled("linestyle", STYLES, index)


def marker(index: int) -> Any:
    """Marker of the series with this index."""
    return _cycled("marker", MARKERS, index)


def _cycled(key: str, ours: tuple[str, ...], index: int) -> Any:
    from matplotlib import rcParams, rcParamsDefault

    cycle = rcParams["axes.prop_cycle"]
    own = cycle.by_key() if cycle != rcParamsDefault["axes.prop_cycle"] else {}
    values = own.get(key, ours)
    return values[index % len(values)]
