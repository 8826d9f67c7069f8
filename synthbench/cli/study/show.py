"""`synthbench study show STUDY`: its grids, figures and claims."""

from __future__ import annotations

from synthbench.cli.study.arguments import StudyName


def show_command(study: StudyName) -> None:
    """Show the grids, figures, claims and departures of a paper study."""
    from rich.console import Console

    from synthbench.cli.study.fact_sheet import print_study_sheet
    from synthbench.plan.paper_study import PaperStudy, names_a_file
    from synthbench.registry.registry import installed

    found: PaperStudy
    if names_a_file(study):
        # Looking up all that it names imports torch, for which one waits seconds.
        from synthbench.papers.reading import find_paper_study

        found = find_paper_study(study)
    else:
        found = installed().study(study)
    print_study_sheet(Console(highlight=False), found, study)
