"""`synthbench plot RUN`: draw finished cells as PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.score_flag import Score, read_cells
from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError, NothingToDrawError, did_you_mean

if TYPE_CHECKING:
    from synthbench.results.figures.encoding import Encoding
    from synthbench.results.figures.picture import Picture


def plot_command(  # noqa: PLR0913 - one parameter per flag
    run: Annotated[Path, typer.Argument(help="A folder that `synthbench eval` has written.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            "-k",
            help="learning-curves, survival, raster, heatmap, scaling, tuning, random-search, "
            "probes, test-sets or curves; repeatable. Default: every kind these results allow.",
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            "--x",
            "--against",
            metavar="FIELD",
            help="For heatmap and scaling: the field on the horizontal axis, such as n.",
        ),
    ] = None,
    y: Annotated[
        str | None,
        typer.Option("--y", metavar="FIELD", help="For heatmap: the field on the other axis."),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="For heatmap and scaling: any number of the table of results, such as "
            "solved_share, samples_to_target, width or final_score.",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="For scaling: one line for each value, such as model."),
    ] = None,
    probe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROBE",
            help="For probes: one to draw, such as attention, or one of its numbers, such as "
            "attention/layer1-previous; repeatable. Default: all.",
        ),
    ] = None,
    score: Score = None,
    formats: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMATS", help="Of png, svg and pdf.")
    ] = "png,svg",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="column (3.25 inches wide), page (6.75), or WIDTHxHEIGHT in inches; "
            "default: for a screen.",
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="A style sheet of matplotlib, such as ggplot."),
    ] = None,
    data: Annotated[
        bool, typer.Option("--data", help="Also write the numbers of each picture as CSV.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the pictures; default: RUN.")
    ] = None,
) -> None:
    """Draw finished cells: learning curves, survival, heat maps, scaling, tuning..."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    from synthbench.records.atomic import make_folder
    from synthbench.results.figures import KINDS, check_taken, draw, taken_by
    from synthbench.results.figures.canvas import Canvas
    from synthbench.results.figures.encoding import Encoding

    encoding, canvas = Encoding(x, y, value, group, _several(probe)), Canvas(size, style)
    suffixes = _suffixes(formats)
    check_taken(encoding, kind or [])
    console = Console()
    cells = read_cells([run], score)
    folder = out or run
    make_folder(folder)
    left_out: list[str] = []
    for name in track(kind or KINDS, "drawing", console=watched(console), transient=True):
        own = encoding.only(taken_by(name))
        try:
            with canvas.look():
                picture = draw(cells, name, canvas, own)
                paths = _write(picture, folder / _stem(name, own, score), suffixes, data=data)
        except NothingToDrawError as error:
            if kind:
                raise
            left_out.append(f"no {name}: {error}")
            continue
        also = ", ".join(path.suffix for path in paths[1:])
        text = f"{paths[0]}  (and {also})" if also else str(paths[0])
        console.print(escape(text), soft_wrap=True, highlight=False)
    for reason in left_out:
        console.print(escape(reason), style="dim", soft_wrap=True, highlight=False)


def _several(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """What a repeatable flag was given; none: it was not."""
    return tuple(given) if given else None


def _suffixes(formats: str) -> list[str]:
    """`.png`, `.svg` of `png,svg`."""
    from synthbench.results.figures.rendering import FORMATS

    names = list(dict.fromkeys(name.strip().removeprefix(".") for name in formats.split(",")))
    for name in names:
        if name not in FORMATS:
            raise ConfigurationError(
                f'no format "{name}"{did_you_mean(name, FORMATS)} (--format {",".join(FORMATS)})'
            )
    return [f".{name}" for name in names]


def _stem(kind: str, encoding: Encoding, score: str | None) -> str:
    """Name of a picture's files: the kind, then what was asked for, as in `heatmap--n--width`."""
    asked = [word.replace("/", "-") for word in encoding.words]
    words = [kind.replace("-", "_"), *asked, *([score] if score is not None else [])]
    return "--".join(words)


def _write(picture: Picture, stem: Path, suffixes: Sequence[str], *, data: bool) -> list[Path]:
    """Write a picture in each format, and its numbers where they are asked for."""
    from synthbench.records.atomic import write_atomically
    from synthbench.results.figures.rendering import save_figure

    # Not with_suffix: a score's name may have a point.
    paths = [stem.with_name(stem.name + suffix) for suffix in suffixes]
    save_figure(picture.figure, paths)
    if data:
        paths.append(stem.with_name(f"{stem.name}.csv"))
        write_atomically(paths[-1], picture.table().to_csv(index=False).encode())
    return paths
