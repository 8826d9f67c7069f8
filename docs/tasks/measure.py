"""Train the baseline of each task's preset `small`; write what was measured into its page.

`python docs/tasks/measure.py [TASK ...]`, of every bundled task where none is named

A page `docs/tasks/<task>.md` gets, between its two comments, the scores of the references and of
the baseline, and a picture; `docs/tasks.md` gets a row for each task. What is in --runs is not
trained again: measure on an idle machine, since seconds are among what is written.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import synthbench as sb
from synthbench.listeners.terminal import TerminalListener
from synthbench.metrics.formatting import format_count, format_estimate, format_time_to_target
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.results.figures.rendering import save_figure

DOCS = Path(__file__).parents[1]
PLACE = re.compile(r"(<!-- measured: begin -->\n).*?(<!-- measured: end -->)", re.DOTALL)
SEEDS = 16


def bundled_tasks() -> list[str]:
    """Names of the tasks that come with SynthBench."""
    return sorted(installed().bundled(TASK))


def train(task: str, runs: Path) -> sb.CellResult:
    """The baseline on the preset, or its results if they are there."""
    with TerminalListener() as listener:
        settings = sb.Settings(listener=listener)
        return sb.evaluate(f"{task} small", seeds=SEEDS, out=runs / task, settings=settings)


def reference_rows(result: sb.CellResult) -> list[tuple[str, str, str]]:
    """Each reference's name, exact and measured ranked score; dashes where none is exact."""
    record = result.record
    exact = installed().task(record.task).exact_scores()
    measured = record.mean_levels(record.summary.score)
    return [
        (name, f"{exact[name]:.4g}" if name in exact else "-", f"{score:.4g}")
        for name, score in measured.items()
    ]


def transition(result: sb.CellResult) -> tuple[str, str, str]:
    """Share solved, median samples with their interval, and seconds."""
    record = result.record
    summary = record.summary
    median, interval = format_time_to_target(summary.samples_to_target, record.budget)
    share = format_estimate(summary.success_rate)[1]
    solved = f"{summary.solved}/{summary.replicas} {share}"
    return solved, f"{median} {interval}".strip(), f"{record.compute.wall_seconds:.0f}"


def page_text(result: sb.CellResult) -> str:
    """What goes between the comments of a task's page."""
    record = result.record
    solved, median, seconds = transition(result)
    score = record.summary.score
    rows = [f"| {name} | {exact} | {found} |" for name, exact, found in reference_rows(result)]
    return "\n".join(
        [
            f"`{record.task}`, `{record.model}`, {record.summary.replicas} seeds, at most "
            f"{format_count(record.budget)} samples each: **{solved}** solved it; median samples "
            f"to target **{median}**; {seconds} s.",
            "",
            f"![{score} against samples, with the references]({record.task.split()[0]}.png)",
            "",
            f"| reference | {score}, exact | measured |",
            "| --- | ---: | ---: |",
            *rows,
            "",
        ]
    )


def index_row(result: sb.CellResult) -> str:
    """The row of a task in the table of all."""
    name = result.record.task.split()[0]
    solved, median, seconds = transition(result)
    references = "; ".join(
        f"{reference} {found}" + ("" if exact == "-" else f" (exact {exact})")
        for reference, exact, found in reference_rows(result)
    )
    cells = (
        f"[{name}](tasks/{name}.md)",
        f"{result.record.summary.score}: {references}",
        f"`{result.record.model}`",
        solved,
        median,
        seconds,
    )
    return f"| {' | '.join(cells)} |"


def write_between(page: Path, text: str) -> None:
    """Replace what stands between the page's two comments."""
    written, places = PLACE.subn(lambda found: found[1] + text + found[2], page.read_text())
    if places != 1:
        raise SystemExit(f"{page} needs the two comments <!-- measured: begin --> and end once")
    page.write_text(written)


def main() -> None:
    """Train what is missing, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--runs", type=Path, default=Path("runs/tasks"))
    given = parser.parse_args()
    results = {}
    for task in given.tasks or bundled_tasks():
        results[task] = train(task, given.runs)
        picture = results[task].plot("learning-curves", size="column")
        save_figure(picture, [DOCS / "tasks" / f"{task}.png"])
        write_between(DOCS / "tasks" / f"{task}.md", page_text(results[task]))
    if not given.tasks:
        heading = (
            "| task | references | baseline | solved | median samples | seconds |\n"
            "| --- | --- | --- | ---: | ---: | ---: |\n"
        )
        rows = "\n".join(index_row(result) for result in results.values())
        write_between(DOCS / "tasks.md", f"{heading}{rows}\n")


if __name__ == "__main__":
    main()
