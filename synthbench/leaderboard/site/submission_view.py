"""What the page of a submission shows: its words, its numbers, and how to get them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.leaderboard.site.board_view import COLUMNS
from synthbench.leaderboard.site.cell_charts import (
    BESIDE,
    CellFrames,
    learning_marks,
    reference_entry,
    survival_marks,
)
from synthbench.leaderboard.site.chart_data import (
    LEARNING,
    SURVIVAL,
    csv_table,
    learning_rows,
    survival_rows,
)
from synthbench.leaderboard.site.figure import Figure, Figures
from synthbench.leaderboard.site.numbers import (
    Shown,
    show_column,
    show_estimate,
    show_median,
    show_rank,
    show_ratio,
    show_score,
    show_solved,
    show_solved_cells,
    show_time,
)
from synthbench.leaderboard.site.pair_view import pair_links
from synthbench.leaderboard.site.svg import Picture
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.leaderboard.submissions.submission import Submission
from synthbench.metrics.formatting import format_count, format_seconds

SHOWN_TRIALS = 500
OWN = "c0 d0"
"""Classes of a submission's lines on its own page."""


@dataclass(frozen=True)
class Matrix:
    """A table of texts with a heading for each column and each row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class OwnCell:
    """One cell of a submission: its numbers and its charts."""

    number: int
    task: str
    model: str
    budget: str
    solved: Shown
    median: Shown
    ratio: Shown
    flops: Shown
    final: Shown
    score: str
    ceiling: str
    """What progress is relative to, where that is not the optimum; else empty."""
    columns: tuple[Shown, ...]
    learning: Figure
    survival: Figure


@dataclass(frozen=True)
class SubmissionView:
    """The page of a submission."""

    root: str
    board: Board
    entry: Entry
    submission: Submission
    link: str | None
    has_reference: bool
    reference_title: str | None
    rank: Shown
    samples: Shown
    flops: Shown
    solved: Shown
    columns: tuple[tuple[str, str], ...]
    cells: tuple[OwnCell, ...]
    model: Matrix
    recipe: Matrix
    provenance: Matrix
    plugins: tuple[tuple[str, str, str], ...]
    compute: Matrix
    seeds: str
    tuning: tuple[str, str, str] | None
    """Number of trials, their samples and FLOPs."""
    trials: tuple[tuple[int, str, str, str, str], ...]
    """Cell, model, seeds, samples, FLOPs."""
    commands: tuple[str, ...]
    verify: str
    pairs: tuple[tuple[str, str], ...]
    """Submissions beside which it has a page, and where that is."""
    files: Mapping[str, str]
    """Charts and their data, by path from the page."""


class SubmissionPages:
    """Views of a board's submissions; what they have in common is drawn once."""

    def __init__(self, board: Board, frames: Sequence[CellFrames]) -> None:
        self._board, self._frames = board, frames
        self._reference = reference_entry(board)
        cells = self._reference.cells if self._reference else ()
        pairs = list(zip(frames, cells, strict=True)) if cells else []
        over = board.relative_to
        self._learning = [learning_marks(f, cell, BESIDE, over) for f, cell in pairs]
        self._survival = [survival_marks(f, cell, BESIDE, over) for f, cell in pairs]

    def view(self, entry: Entry) -> SubmissionView:
        """Everything on the page of one entry."""
        board, submission = self._board, entry.submission
        trials, figures = submission.trials, Figures()
        beside = None
        if self._reference is not None and not entry.is_reference:
            beside = self._reference.submission.title
        return SubmissionView(
            root="../../",
            board=board,
            entry=entry,
            submission=submission,
            link=_safe(submission.link),
            has_reference=self._reference is not None,
            reference_title=beside,
            rank=show_rank(entry.rank),
            samples=show_score(entry, entry.samples),
            flops=show_score(entry, entry.flops),
            solved=show_solved_cells(entry),
            columns=tuple((column, COLUMNS[column]) for column in board.suite.columns),
            cells=tuple(self._cell(entry, index, figures) for index in range(len(entry.cells))),
            model=_by_cell([_own_fields(cell.plan["model"]) for cell in entry.cells]),
            recipe=_by_cell([_fields(cell.plan["model"]["recipe"]) for cell in entry.cells]),
            provenance=_by_cell([_environment(cell) for cell in entry.cells]),
            plugins=_plugins(entry),
            compute=_compute(entry),
            seeds=_seeds(entry.cells[0]),
            tuning=_tuning(submission) if trials else None,
            trials=_trials(submission),
            commands=_commands(board, entry),
            verify=shlex.join(
                ["synthbench", "leaderboard", "verify",
                 f"leaderboards/{board.suite.name}/submissions/{submission.name}"]
            ),
            pairs=pair_links(board, entry),
            files=figures.files,
        )  # fmt: skip

    def _cell(self, entry: Entry, index: int, figures: Figures) -> OwnCell:
        cell, frames = entry.cells[index], self._frames[index]
        task, title = self._board.tasks[index], entry.submission.title
        learning = [learning_marks(frames, cell, OWN, title)]
        survival = [survival_marks(frames, cell, OWN, title)]
        shown, legend = [entry], [(OWN, title)]
        if self._reference is not None and not entry.is_reference:
            shown.append(self._reference)
            legend.append((BESIDE, self._board.relative_to))
            learning.insert(0, self._learning[index])
            survival.insert(0, self._survival[index])
        budget, score = cell.times.budget, cell.summary.score
        prices = cell.times.flops_per_sample * budget
        return OwnCell(
            number=cell.number,
            task=task,
            model=cell.model,
            budget=format_count(budget),
            solved=show_solved(cell),
            median=show_median(cell),
            ratio=show_ratio(cell.ratio),
            flops=show_time(cell.summary.flops_to_target, prices),
            final=show_estimate(cell.summary.final_score),
            score=score,
            ceiling=self._board.reference_rows[index].note(),
            columns=tuple(show_column(cell, c) for c in self._board.suite.columns),
            learning=figures.add(
                f"cell-{cell.number}-learning",
                Picture(frames.learning, f"{title}: {score} on {task}", tuple(learning)),
                legend,
                csv_table(LEARNING, [r for e in shown for r in learning_rows(*_named(e, index))]),
            ),
            survival=figures.add(
                f"cell-{cell.number}-unsolved",
                Picture(frames.survival, f"{title}: unsolved on {task}", tuple(survival)),
                legend,
                csv_table(SURVIVAL, [r for e in shown for r in survival_rows(*_named(e, index))]),
            ),
        )


def _named(entry: Entry, index: int) -> tuple[str, EntryCell]:
    return entry.submission.name, entry.cells[index]


def _safe(link: str | None) -> str | None:
    """The link, unless a browser would run it."""
    return link if link is not None and link.startswith("https://") else None


def _own_fields(model: Mapping[str, object]) -> dict[str, str]:
    return _fields({key: value for key, value in model.items() if key != "recipe"})


def _fields(part: Mapping[str, object]) -> dict[str, str]:
    """Fields as texts; what is not set is a dash; those of a named part follow it with a dot."""
    texts: dict[str, str] = {}
    for key, value in part.items():
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            texts[key] = value["name"]
            texts |= _fields({f"{key}.{k}": v for k, v in value.items() if k != "name"})
        else:
            texts[key] = _text(value)
    return texts


def _text(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _environment(cell: EntryCell) -> dict[str, str]:
    fields = cell.environment.model_dump(mode="json", exclude={"plugins"})
    return {key.replace("_", " "): str(value) for key, value in fields.items()}


def _by_cell(tables: Sequence[dict[str, str]]) -> Matrix:
    """One column for each different table, headed by its cells where there are several."""
    groups: list[tuple[dict[str, str], list[int]]] = []
    for number, table in enumerate(tables, start=1):
        same = next((cells for content, cells in groups if content == table), None)
        if same is None:
            groups.append((table, [number]))
        else:
            same.append(number)
    keys = list(dict.fromkeys(key for content, _ in groups for key in content))
    columns = tuple(
        f"cell{'s' * (len(cells) > 1)} {', '.join(map(str, cells))}" for _, cells in groups
    )
    return Matrix(
        columns if len(groups) > 1 else ("all cells" if len(tables) > 1 else "value",),
        tuple((key, tuple(content.get(key, "") for content, _ in groups)) for key in keys),
    )


def _plugins(entry: Entry) -> tuple[tuple[str, str, str], ...]:
    found = {
        (p.plugin, p.distribution, p.version)
        for cell in entry.cells
        for p in cell.environment.plugins
    }
    return tuple(sorted(found))


def _compute(entry: Entry) -> Matrix:
    rows = []
    for cell in entry.cells:
        compute = cell.compute
        rows.append(
            (
                f"{cell.number}",
                (
                    format_count(compute.parameters),
                    "-" if compute.state_size is None else format_count(compute.state_size),
                    format_count(cell.times.flops_per_sample),
                    format_count(compute.step_flops),
                    format_count(compute.replica_steps),
                    format_seconds(compute.wall_seconds),
                    compute.looped or f"{compute.replicas_per_block} at once",
                ),
            )
        )
    headings = (
        "parameters",
        "state size",
        "FLOPs per sample",
        "FLOPs per step",
        "steps over replicas",
        "wall time",
        "replicas",
    )
    return Matrix(headings, tuple(rows))


def _seeds(cell: EntryCell) -> str:
    protocol = cell.plan["protocol"]
    first, count = int(protocol["first_seed"]), int(protocol["seeds"])
    return f"{first}" if count == 1 else f"{first} to {first + count - 1}"


def _tuning(submission: Submission) -> tuple[str, str, str]:
    return (
        f"{len(submission.trials)}",
        format_count(submission.tuning_samples),
        format_count(submission.tuning_flops),
    )


def _trials(submission: Submission) -> tuple[tuple[int, str, str, str, str], ...]:
    return tuple(
        (
            trial.cell,
            trial.model,
            f"{trial.first_seed} to {trial.first_seed + trial.seeds - 1}",
            format_count(trial.samples),
            format_count(trial.flops),
        )
        for trial in submission.trials[:SHOWN_TRIALS]
    )


def _commands(board: Board, entry: Entry) -> tuple[str, ...]:
    """What trains it again: one command, or one for each cell where configurations differ."""
    start = ["synthbench", "eval", board.suite.name]
    models = [cell.model for cell in entry.cells]
    if len(set(models)) == 1:
        return (shlex.join([*start, "--model", models[0]]),)
    return tuple(
        shlex.join([*start, "--cell", str(number), "--model", model])
        for number, model in enumerate(models, start=1)
    )
