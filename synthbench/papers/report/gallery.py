"""A page with all reports: what each paper says, and how many of its claims hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthbench.errors import ConfigurationError
from synthbench.papers.report.content import Report
from synthbench.papers.report.pages import (
    MARKDOWN,
    PAGE,
    render_markdown,
    render_page,
    report_html,
    write_markdown,
    write_page,
    write_report,
)
from synthbench.papers.report.pictures import ReportPicture
from synthbench.records.atomic import make_folder


@dataclass(frozen=True)
class GalleryCard:
    """One report. picture: its first that could be drawn."""

    report: Report
    href: str
    picture: ReportPicture | None


@dataclass(frozen=True)
class GalleryView:
    """The page. root: where it finds the first page of the site that it is in."""

    root: str
    cards: tuple[GalleryCard, ...]


def write_gallery(reports: Sequence[Report], out: Path) -> Path:
    """Write every report into a folder of its own, and the page that leads to them.

    Returns that page, beside which it lies as Markdown. Raises ConfigurationError for two studies
    of one name, OutputError where `out` cannot be written.
    """
    _refuse_equal_names(reports)
    make_folder(out)
    for report in reports:
        write_report(report, out / report.study.name, "../")
    write_page(out / MARKDOWN, gallery_markdown(reports))
    write_page(out / PAGE, _first_page(reports, ""))
    return out / PAGE


def _refuse_equal_names(reports: Sequence[Report]) -> None:
    """Raise ConfigurationError where one report would take the place of another."""
    paths: dict[str, Path] = {}
    for report in reports:
        study = report.study
        if study.name in paths:
            raise ConfigurationError(
                f'{paths[study.name]} and {study.path} are both called "{study.name}"; give one '
                "another `name`, or report each with an --out of its own"
            )
        paths[study.name] = study.path


def write_gallery_as_markdown(reports: Sequence[Report], out: Path) -> None:
    """Write the same for a repository, in Markdown with PNG alone. Raises OutputError."""
    make_folder(out)
    for report in reports:
        write_markdown(report, out / report.study.name)
    write_page(out / MARKDOWN, gallery_markdown(reports))


def gallery_markdown(reports: Sequence[Report]) -> str:
    """The page that leads to all reports: what holds of each, and claim by claim."""
    verdicts = sum(len(report.claims) for report in reports)
    claims = sum(len(report.study.claims) for report in reports)
    return render_markdown("gallery.md.j2", reports=reports, verdicts=verdicts, claims=claims)


def gallery_pages(reports: Sequence[Report], root: str) -> dict[str, str]:
    """The same as parts of a site: contents by path in the folder of the gallery.

    root: where that folder finds the first page of the site, as in `../`.
    """
    pages = {PAGE: _first_page(reports, root)}
    for report in reports:
        pages[_place(report)] = report_html(report, f"../{root}", "../")
    return pages


def _first_page(reports: Sequence[Report], root: str) -> str:
    return render_page("gallery.html.j2", GalleryView(root, tuple(map(_card, reports))))


def _place(report: Report) -> str:
    return f"{report.study.name}/{PAGE}"


def _card(report: Report) -> GalleryCard:
    drawn = (picture for picture in report.pictures if picture.png)
    return GalleryCard(report, _place(report), next(drawn, None))
