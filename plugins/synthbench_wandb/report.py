"""A leaderboard as a W&B report: ranked tables, and panels over the runs of each suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from synthbench import Board, Entry, format_count, format_estimate
from synthbench_wandb.library import expr, wr
from synthbench_wandb.text import escape, filter_key, interval, link, table

MARK = "Written by `synthbench leaderboard report`."
"""Begins the description of every report of ours, so that no other is ever overwritten."""
LONGEST_TITLE = 128
TRANSITIONS = "figures/transition-raster"

SCALE = (
    "Samples and FLOPs are those to the target, as a geometric mean over the suite's cells of the "
    "ratio to {relative_to}: 0.5 needs half as many. A cell that fewer than half of the replicas "
    "solve counts with its whole budget. Intervals (95%) resample the seeds that all submissions "
    "share. Ranks that overlap are ties. On the Pareto front: nothing else needs fewer samples "
    "and no more FLOPs, or the other way round."
)
PANELS = (
    "The panels show the runs in this project that `synthbench eval {suite} --wandb` has logged. "
    "Progress is 0 for the trivial predictor and 1 for the optimal one, or where a cell says so "
    "for what stands in its place; the curves are medians "
    "over replicas. The onset of a transition is in samples, its width in decades of samples."
)


def build_report(
    entity: str, project: str, title: str, boards: Sequence[Board], site: str | None
) -> wr.Report:
    """The report, not saved yet; nothing is asked of a server.

    site: address of the published leaderboard pages, to link to.
    """
    blocks: list[Any] = [wr.TableOfContents()]
    for board in boards:
        blocks += _board_blocks(board, site)
    return wr.Report(
        entity=entity,
        project=project,
        title=title[:LONGEST_TITLE],
        description=f"{MARK} Running it again replaces what is here.",
        width="fluid",
        blocks=blocks,
    )


def specification(report: wr.Report) -> dict[str, Any]:
    """What W&B stores of a report, as JSON values."""
    model = report._to_model()
    return dict(model.model_dump(mode="json", by_alias=True, exclude_none=True))


def _board_blocks(board: Board, site: str | None) -> Iterator[Any]:
    suite = board.suite
    yield wr.H1(text=f"{suite.name}, version {suite.version}: {suite.title}")
    yield wr.P(text=" ".join(suite.description.split()))
    if site is not None:
        address = _page(site, suite.name)
        yield wr.P(text=["All numbers, plots and records: ", wr.Link(text=address, url=address)])
    if not board.entries:
        yield wr.P(text="No submissions yet.")
        return
    yield wr.MarkdownBlock(text=_ranking(board, site))
    yield wr.P(text=SCALE.format(relative_to=board.relative_to))
    yield wr.H2(text="Learning curves, Pareto plots and transitions")
    yield wr.P(text=PANELS.format(suite=suite.name))
    for number, (task, cell) in enumerate(zip(board.tasks, suite.cells, strict=True)):
        yield wr.H3(text=f"{number + 1}. {task}, budget {format_count(cell.budget)} samples")
        if note := board.reference_rows[number].note():
            yield wr.P(text=f"Here {note}.")
        yield wr.MarkdownBlock(text=_references(board, number))
        yield _panels(board, number)


def _page(site: str, *names: str) -> str:
    return "/".join([site.rstrip("/"), *names, ""])


def _ranking(board: Board, site: str | None) -> str:
    headings = ["rank", "submission", "by", "source", "track", "samples", "FLOPs", "cells solved"]
    rows = [_ranking_row(board, entry, site) for entry in board.entries]
    return table([*headings, "Pareto front"], rows)


def _ranking_row(board: Board, entry: Entry, site: str | None) -> list[str]:
    submission = entry.submission
    title = submission.title
    return [
        entry.rank.text(to=" to "),
        link(title, _page(site, board.suite.name, submission.name)) if site else escape(title),
        escape(", ".join(submission.authors)),
        link("paper or code", submission.link) if submission.link else "",
        submission.track,
        _marked(entry, *format_estimate(entry.samples)),
        _marked(entry, *format_estimate(entry.flops)),
        f"{entry.solved_cells} of {len(entry.cells)}",
        "yes" if entry.on_front else "",
    ]


def _marked(entry: Entry, value: str, ends: str) -> str:
    """A geometric mean with its interval, marked where it is only a bound."""
    return interval(f"{escape(entry.bound)} {value}".strip(), ends)


def _references(board: Board, number: int) -> str:
    """What needs no training, for scale: strategies by score, algorithms by samples."""
    row = board.reference_rows[number]
    rows = [[escape(name), score, "", ""] for name, score in row.score_texts().items()]
    for name, algorithm in row.algorithms.items():
        cost = (format_count(algorithm.samples), format_count(algorithm.operations))
        rows.append([escape(name), "", *cost])
    return table(["for reference", "score", "samples", "operations"], rows)


def _panels(board: Board, number: int) -> wr.PanelGrid:
    suite = board.suite
    runs = wr.Runset(
        name=board.tasks[number],
        filters=expr.And(
            expr.Config("suite") == suite.name,
            expr.Config("suite_version") == suite.version,
            expr.Config("cell") == filter_key(board.tasks[number]),
        ),
    )
    score = board.entries[0].cells[number].summary.score
    return wr.PanelGrid(
        runsets=[runs],
        panels=[
            _curve("Progress, median", "progress/median"),
            _curve(f"{score}, median", f"{score}/median"),
            _curve("Share of replicas that solved it", "share_solved"),
            wr.ScatterPlot(
                title="Pareto plot: cost to the target",
                x=wr.SummaryMetric("flops_to_target"),
                y=wr.SummaryMetric("samples_to_target"),
                log_x=True,
                log_y=True,
            ),
            wr.ScatterPlot(
                title="Transition: onset and width",
                x=wr.SummaryMetric("onset"),
                y=wr.SummaryMetric("width"),
                log_x=True,
            ),
            wr.MediaBrowser(title="Transitions, by replica", media_keys=[TRANSITIONS]),
        ],
    )


def _curve(title: str, metric: str) -> wr.LinePlot:
    return wr.LinePlot(
        title=title, x="samples", y=[metric], log_x=True, title_x="training samples per replica"
    )
