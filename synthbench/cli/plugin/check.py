"""`synthbench plugin check`: the laws of the conformance kit, one table for each subject."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.completion import complete_subject
from synthbench.cli.surroundings import watched

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.testing import Report, Verdict
    from synthbench.testing.subjects import Subject

STYLES = {"ok": "green", "broken": "bold red", "not judged": "yellow", "does not apply": "dim"}


def check_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Plugins, distributions, references such as 'sparse-parity n=12', bare modules "
            "by their place: file.py:MyNet, mypackage.mymodule:MyNet, or files of paper studies; "
            "default: every third-party plugin.",
            autocompletion=complete_subject,
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="What models are tried on, such as 'sparse-parity n=10 k=2'; repeatable. Needed "
            "for a bare module.",
        ),
    ] = None,
    list_laws: Annotated[bool, typer.Option("--list", help="Show the laws and stop.")] = False,
    constant_world: Annotated[
        bool,
        typer.Option(
            "--constant-world", help="The fields leave nothing of a task's hidden truth to draw."
        ),
    ] = False,
) -> None:
    """Check tasks, models, probes, optimizers, suites and studies by the laws that they must obey.

    Exit code 1 if a law is broken, or where every third-party plugin is checked and one did not
    load.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    from synthbench.results.terminal_table import WIDTH

    console = Console(width=min(console.width, WIDTH), highlight=False)
    if list_laws:
        _print_laws(console)
        return
    from synthbench.registry.registry import installed
    from synthbench.testing.subjects import find_subjects

    subjects = find_subjects(installed(), names or [], task or [])
    reports = [_examined(console, each, constant_world) for each in subjects]
    broken = sum(len(report.findings) for report in reports)
    # Every third-party plugin was asked for, and these cannot be.
    set_aside = [] if names else installed().host.failures
    for failure in set_aside:
        console.print(f"[bold red]not checked:[/] {escape(failure.describe())}", soft_wrap=True)
    if broken:
        console.print(f"[bold red]{broken} law{'s' * (broken > 1)} broken[/]")
    if broken or set_aside:
        raise typer.Exit(1)
    console.print(f"[green]all laws hold[/] for {len(reports)} of {len(reports)}")


def _examined(console: Console, subject: Subject, constant_world: bool) -> Report:
    """Judge the laws, naming each while it is judged, and print what was found."""
    from synthbench.testing import Report

    examination = subject.examination(constant_world)
    verdicts: list[Verdict] = []
    total = len(examination.laws)
    with watched(console).status(subject.title) as status:
        for number, law in enumerate(examination.laws, start=1):
            status.update(f"{subject.title}: {law.name} ({number}/{total})")
            verdicts.append(examination.verdict(law.name))
    report = Report(subject.title, tuple(verdicts), dict(examination.trial.facts))
    _print_report(console, report)
    return report


def _print_report(console: Console, report: Report) -> None:
    from rich.markup import escape

    from synthbench.results.terminal_table import word_table
    from synthbench.testing import Status

    table = word_table(("law", ""), "", title=f"[bold]{escape(report.subject)}[/]")
    waiting = Counter(v.seen for v in report.verdicts if v.status is Status.not_judged)
    for verdict in report.verdicts:
        word, name = verdict.status.value, verdict.law.name
        seen = "" if word in ("ok", "broken") else verdict.seen
        if verdict.status is Status.not_judged:
            # One line for all that wait for the same law: the finding must not drown.
            count = waiting.pop(seen, 0)
            if not count:
                continue
            name = name if count == 1 else f"{count} laws"
        table.add_row(name, f"[{STYLES[word]}]{word}[/]", f"[dim]{escape(seen)}[/]")
    console.print(table)
    for name, value in report.facts.items():
        console.print(f"[dim]{escape(name)}:[/] {escape(value)}")
    for finding in report.findings:
        console.print(f"\n{escape(finding.describe())}", soft_wrap=True)
    console.print()


def _print_laws(console: Console) -> None:
    from synthbench.results.terminal_table import word_table
    from synthbench.testing.subjects import LAWS

    for kind, laws in LAWS.items():
        table = word_table((kind.plural,), "law")
        for law in laws:
            table.add_row(law.name, law.statement)
        console.print(table)
