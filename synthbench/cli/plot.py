"""`synthbench plot RUN`: draw finished cells as PNG and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.score_flag import Score, read_cells
from synthbench.errors import ConfigurationError, NothingToDrawError


def plot_command(
    run: Annotated[Path, typer.Argument(help="A folder that `synthbench eval` has written.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            "-k",
            help="learning-curves, survival, transition-raster, random-search, probes, "
            "test-sets, curves or scaling; repeatable. Default: every kind these results allow.",
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="For scaling: the field on the horizontal axis, such as n.")
    ] = None,
    score: Score = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the pictures; default: RUN.")
    ] = None,
) -> None:
    """Draw finished cells: learning curves, survival, transitions, Q-Q, probes, test sets..."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    from synthbench.records.atomic import make_folder
    from synthbench.results.figures import KINDS, draw
    from synthbench.results.figures.rendering import save_figure

    if against is not None and kind and "scaling" not in kind:
        raise ConfigurationError("--against goes with --kind scaling")
    console = Console()
    cells = read_cells(run, score)
    folder = out or run
    make_folder(folder)
    left_out: list[str] = []
    for name in track(kind or KINDS, "drawing", console=console, transient=True):
        try:
            figure = draw(cells, name, against if name == "scaling" else None)
        except NothingToDrawError as error:
            if kind:
                raise
            left_out.append(f"no {name}: {error}")
            continue
        stem = name.replace("-", "_") + (f"--{score}" if score is not None else "")
        paths = [folder / f"{stem}{suffix}" for suffix in (".png", ".svg")]
        save_figure(figure, paths)
        console.print(escape(f"{paths[0]}  (and .svg)"), soft_wrap=True, highlight=False)
    for reason in left_out:
        console.print(escape(reason), style="dim", soft_wrap=True, highlight=False)
