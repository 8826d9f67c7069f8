"""A page with all reports: what each paper says, and how many of its claims hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthbench.papers.report.content import Report
from synthbench.papers.report.pages import PAGE, render_page, write_report
from synthbench.papers.report.pictures import ReportPicture
from synthbench.records.atomic import make_folder, write_atomically


@dataclass(frozen=True)
class GalleryCard:
    """One report. picture: its first that could be drawn."""

    report: Report
    href: str
    picture: ReportPicture | None


@dataclass(frozen=True)
class GalleryView:
    """The page. root: of what is linked."""

    root: str
    cards: tuple[GalleryCard, ...]


def write_gallery(reports: Sequence[Report], out: Path) -> Path:
    """Write every report into a folder of its own, and the page that leads to them.

    Returns that page. Raises OutputError where `out` cannot be written.
    """
    make_folder(out)
    for report in reports:
        write_report(report, out / report.study.name, "../")
    page = render_page("gallery.html.j2", GalleryView("", tuple(map(_card, reports))))
    write_atomically(out / PAGE, page.encode("utf-8", "backslashreplace"))
    return out / PAGE


def _card(report: Report) -> GalleryCard:
    drawn = (picture for picture in report.pictures if picture.png)
    return GalleryCard(report, f"{report.study.name}/{PAGE}", next(drawn, None))
