"""The charts of a page, each with the files beside the page that hold it and its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from synthbench.leaderboard.site.svg import Picture
from synthbench.leaderboard.site.svg_file import svg_file

FOLDER = "charts"


@dataclass(frozen=True)
class Figure:
    """A chart in a page; svg, csv: where it and its data lie, from there."""

    chart: Markup
    svg: str
    csv: str


@dataclass(frozen=True)
class Figures:
    """The figures of one page; files: what must be written beside it, by path from there."""

    files: dict[str, str] = field(default_factory=dict)

    def add(
        self, name: str, picture: Picture, legend: Sequence[tuple[str, str]], data: str
    ) -> Figure:
        """A figure whose files are called `name`; legend: classes of a line and its name."""
        figure = Figure(picture.inline(), f"{FOLDER}/{name}.svg", f"{FOLDER}/{name}.csv")
        self.files[figure.svg] = svg_file(picture, legend)
        self.files[figure.csv] = data
        return figure
