"""`synthbench study show STUDY`: its grids, figures and claims."""

from __future__ import annotations

from synthbench.cli.study.arguments import StudyName


def show_command(study: StudyName) -> None:
    """Show the grids, figures, claims and departures of a paper study."""
    from rich.console import Console

    from synthbench.cli.study.fact_sheet import print_study_sheet
    from synthbench.papers.reading import find_paper_study

    print_study_sheet(Console(highlight=False), find_paper_study(study))
