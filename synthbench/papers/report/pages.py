"""A report as a page: HTML with everything in it, and Markdown with its figures beside it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from synthbench.leaderboard.site.shell import render
from synthbench.papers.kept import kept_study
from synthbench.papers.reading import name_of
from synthbench.papers.report.content import Report, report_content
from synthbench.papers.report.pictures import ReportPicture
from synthbench.papers.running import RUNS
from synthbench.plan.paper_study import PaperStudy
from synthbench.records.atomic import make_folder, write_atomically
from synthbench.results.lying import warn_of

PACKAGE = "synthbench.papers.report"
PAGE, MARKDOWN = "index.html", "README.md"
IN_BACKTICKS = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class ReportView:
    """What the template shows.

    root: where the page finds the first page of all. gallery: where it finds that of all reports;
    none where it stands alone.
    """

    root: str
    gallery: str
    report: Report


def report_paper_study(
    study: PaperStudy, folder: Path | str, *, runs: Path | str = RUNS, full: bool = False
) -> Path:
    """Judge what is kept of a paper study, and write a page about it; nothing is trained.

    folder: of the page, which is returned, and of the same as Markdown, with its figures. runs:
    the folder of all results, of which what cannot be read is left out with a warning. full: of the
    grids with the paper's sizes. Raises SynthbenchError where nothing is kept, OutputError where
    the folder cannot be written.
    """
    kept = kept_study(study, runs, full=full)
    for each in kept.unreadable:
        warn_of(each, stacklevel=3)
    return write_report(report_content(kept, name_of(study)), Path(folder))


def write_report(report: Report, folder: Path, gallery: str = "") -> Path:
    """Write a report into a folder, in place of an earlier one; returns the HTML page.

    The page holds its figures; the Markdown is for a repository, with the figures as PNG and SVG
    beside it. gallery: where the page finds that of all reports. Raises OutputError.
    """
    write_markdown(report, folder)
    for picture in report.pictures:
        if picture.svg:
            write_atomically(folder / f"{picture.stem}.svg", picture.svg)
    write_page(folder / PAGE, report_html(report, gallery, gallery))
    return folder / PAGE


def write_markdown(report: Report, folder: Path) -> None:
    """Write a report as Markdown, with its figures as PNG beside it. Raises OutputError."""
    make_folder(folder)
    for picture in report.pictures:
        if picture.png:
            write_atomically(folder / f"{picture.stem}.png", picture.png)
    write_page(folder / MARKDOWN, report_markdown(report))


def write_page(path: Path, page: str) -> None:
    """Write a page, whatever names are in it. Raises OutputError."""
    # A lone surrogate, as in the name of a folder, is shown as its code.
    write_atomically(path, page.encode("utf-8", "backslashreplace"))


def report_html(report: Report, root: str = "", gallery: str = "") -> str:
    """The page; all text of the study and of its records is escaped. Places: as of a view."""
    return render_page("report.html.j2", ReportView(root, gallery, report))


def report_markdown(report: Report) -> str:
    """The same as Markdown."""
    return render_markdown("report.md.j2", report=report)


def render_markdown(template: str, **names: object) -> str:
    """A page of ours as Markdown, from its template and what that names."""
    text = _markdown().get_template(template).render(**names)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def render_page(template: str, view: object) -> str:
    """A page of ours in the frame of the boards' site."""
    return render(template, view, PACKAGE, {"prose": prose, "picture_source": picture_source})


def prose(text: str) -> Markup:
    """Escaped, with `code` where it stands in backticks."""
    return Markup(IN_BACKTICKS.sub(r"<code>\1</code>", str(escape(" ".join(text.split())))))


def picture_source(picture: ReportPicture) -> str:
    """The picture itself, which a page opened from disk may show under its policy."""
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"


@lru_cache(maxsize=1)
def _markdown() -> Environment:
    made = Environment(
        loader=PackageLoader(PACKAGE, "templates"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(line=_markdown_line, code=_markdown_code)
    return made


def _markdown_line(text: str) -> str:
    """One line that no cell of a table and no HTML can end."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _markdown_code(text: str) -> str:
    """Code on one line; what has backticks stands between two."""
    own = " ".join(text.split()).replace("|", "\\|")
    return f"`` {own} ``" if "`" in own else f"`{own}`"
