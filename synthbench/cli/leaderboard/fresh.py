"""`synthbench leaderboard verify --fresh BEACON`: train on seeds that nobody had before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.leaderboard.standings.fresh import FreshStanding
    from synthbench.leaderboard.submissions.fresh import FreshCell, FreshResult
    from synthbench.leaderboard.submissions.reading import CheckedSubmission
    from synthbench.leaderboard.verification.limits import Limits
    from synthbench.plan.suite import Suite


@dataclass(frozen=True)
class FreshOptions:
    """How to train on fresh seeds.

    beacon: what they come from. seeds: how many; None: as many as rank, or as are recorded.
    """

    beacon: str
    seeds: int | None
    accelerator: str
    limits: Limits


def verify_on_fresh_seeds(
    console: Console, checked: CheckedSubmission, suite: Suite, options: FreshOptions
) -> bool:
    """Train, show and write `fresh.json` beside the submission; whether it holds.

    Where that is there already, the same seeds are trained again and compared with it. Raises
    SubmissionError for a beacon that does not serve, ConfigurationError where a result of another
    beacon is there.
    """
    from rich.markup import escape

    from synthbench.leaderboard.submissions.files import FRESH_FILE
    from synthbench.leaderboard.submissions.fresh import FEWEST_SEEDS, check_beacon
    from synthbench.leaderboard.verification.fresh import differences

    check_beacon(options.beacon, checked.submission, datetime.now(UTC).date())
    path, earlier = checked.folder / FRESH_FILE, checked.fresh
    if earlier is not None and earlier.beacon != options.beacon:
        raise ConfigurationError(
            f'{path} is of the beacon "{earlier.beacon}"; check that one, or move the file away'
        )
    count = options.seeds or (suite.seeds if earlier is None else earlier.seeds)
    if count < FEWEST_SEEDS or (earlier is not None and count > earlier.seeds):
        most = "" if earlier is None else f" to {earlier.seeds}, as many as are recorded"
        raise ConfigurationError(f"--seeds {count}: fresh seeds are {FEWEST_SEEDS} or more{most}")
    cells = _train(checked, suite, options, count)
    if earlier is not None:
        lines = differences(
            earlier, cells, range(count), [cell.record.compute for cell in checked.cells]
        )
        for line in lines:
            console.print(f"[red]fresh:[/] {escape(line)}", soft_wrap=True)
        if not lines:
            console.print(f"{path.name}: {count} seeds trained again, and the same", soft_wrap=True)
        return not lines and _show(console, checked, earlier)
    result = _write(checked, suite, options, cells)
    console.print(f"written: {escape(str(path))}", soft_wrap=True)
    return _show(console, checked, result)


def _train(
    checked: CheckedSubmission, suite: Suite, options: FreshOptions, count: int
) -> list[FreshCell]:
    from rich.console import Console

    from synthbench.leaderboard.verification.fresh import train_on_fresh_seeds
    from synthbench.leaderboard.verification.limits import within
    from synthbench.listeners.listener import Silent

    seeds, where = range(count), options.accelerator
    job = partial(train_on_fresh_seeds, checked, suite, options.beacon, seeds, where)
    cells: list[FreshCell] = []
    with watched(Console(stderr=True)).status(
        f"{count} fresh seeds of cell 1 of {len(checked.cells)}"
    ) as status:
        for cell in within(options.limits, job, Silent()):
            cells.append(cell)
            status.update(f"{count} fresh seeds of cell {len(cells) + 1} of {len(checked.cells)}")
    return cells


def _write(
    checked: CheckedSubmission, suite: Suite, options: FreshOptions, cells: list[FreshCell]
) -> FreshResult:
    from synthbench.hashing import file_hash
    from synthbench.leaderboard.submissions.files import FRESH_FILE
    from synthbench.leaderboard.submissions.fresh import FreshResult, first_fresh_seed
    from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE
    from synthbench.records.atomic import write_atomically

    result = FreshResult(
        submission=file_hash(checked.folder / SUBMISSION_FILE),
        beacon=options.beacon,
        first_seed=first_fresh_seed(options.beacon, suite),
        seeds=len(cells[0].data),
        created=datetime.now(UTC).date().isoformat(),
        cells=tuple(cells),
    )
    content = result.model_dump_json(indent=1).encode() + b"\n"
    write_atomically(checked.folder / FRESH_FILE, content)
    return result


def _show(console: Console, checked: CheckedSubmission, result: FreshResult) -> bool:
    """The medians of each cell on both, and the test of their difference; whether it holds."""
    from synthbench.leaderboard.standings.fresh import compare_seeds

    standing = compare_seeds(result, checked.cells)
    _print_cells(console, checked, standing)
    ratio, interval = _ratio(standing)
    verdict = "holds" if standing.holds else "[red]does not hold[/]"
    console.print(
        f"on fresh seeds it takes {ratio} times the samples{interval}; alike: p = "
        f"{standing.p_value:.2g}: it {verdict}",
        soft_wrap=True,
    )
    return standing.holds


def _ratio(standing: FreshStanding) -> tuple[str, str]:
    from synthbench.metrics.formatting import format_estimate

    value, interval = format_estimate(standing.ratio)
    return value, f" {interval}" if standing.ratio.low is not None else ""


def _print_cells(console: Console, checked: CheckedSubmission, standing: FreshStanding) -> None:
    from rich.markup import escape

    from synthbench.metrics.formatting import format_time_to_target
    from synthbench.metrics.survival import kaplan_meier_median
    from synthbench.results.terminal_table import number_table

    table = number_table("cell", ("solved", "median\nsamples", "fresh\nsolved", "fresh\nmedian"))
    for number, (cell, fresh) in enumerate(zip(checked.cells, standing.times, strict=True), 1):
        summary, budget = cell.record.summary, cell.record.budget
        median = kaplan_meier_median(fresh.reached.times, fresh.reached.solved)
        table.add_row(
            escape(f"{number}. {cell.record.task}"),
            f"{summary.solved}/{summary.replicas}",
            format_time_to_target(summary.samples_to_target, budget)[0],
            f"{int(fresh.reached.solved.sum())}/{len(fresh.reached.times)}",
            format_time_to_target(median, budget)[0],
        )
    console.print(table)
