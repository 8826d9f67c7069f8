"""Two submissions of a leaderboard side by side, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.leaderboard.standings.board import Board
    from synthbench.leaderboard.standings.entry import Entry
    from synthbench.leaderboard.standings.pairing import PairedCell

MOST_NAMED = 12
"""Submissions that an error names; of more, only the one that was probably meant."""


def chosen_pair(board: Board, wanted: Sequence[str]) -> tuple[Entry, Entry]:
    """The two entries of those names or titles; of one, that and the reference model.

    Raises UnknownNameError for a submission that is not on the board, ConfigurationError for
    any other number of them than two.
    """
    if len(wanted) > 2:
        raise ConfigurationError(f"{len(wanted)} submissions; two can be shown side by side")
    first, *others = (_entry(board, word) for word in wanted)
    if not others:
        others = [entry for entry in board.entries if entry.is_reference]
        if not others:
            raise ConfigurationError(
                f"the reference model is not on {board.suite.name}; name a second submission"
            )
    if first is others[0]:
        raise ConfigurationError(f'"{first.submission.name}" is one submission; name another one')
    return first, others[0]


def _entry(board: Board, word: str) -> Entry:
    for entry in board.entries:
        own = entry.submission
        if word in (own.name, own.title):
            return entry
    names = [entry.submission.name for entry in board.entries]
    listed = f" ({', '.join(names)})" if 0 < len(names) <= MOST_NAMED else ""
    guess = did_you_mean(word, names)
    raise UnknownNameError(f'no submission "{word}" on {board.suite.name}{guess}{listed}')


def print_pair(console: Console, board: Board, first: Entry, second: Entry) -> None:
    """What both need on each cell, the test of their difference, and what it could have found."""
    from rich.markup import escape

    from synthbench.leaderboard.standings.pair_words import mean_words, notes
    from synthbench.leaderboard.standings.pairing import Pairs
    from synthbench.results.terminal_table import number_table

    pair = Pairs(board).pair(first, second)
    suite, (one, two) = board.suite, (entry.submission.title for entry in (first, second))
    console.print(
        f"[bold]{escape(suite.name)}[/] version {suite.version}: "
        f"[bold]{escape(one)}[/] against [bold]{escape(two)}[/]"
    )
    console.print(f"{escape(mean_words(pair))}\n")
    headings = ["solved", "median\nsamples", "ratio of\nmedians", "p\n(corrected)", "detectable"]
    table = number_table("cell", headings)
    for task, cell in zip(board.tasks, pair.cells, strict=True):
        table.add_row(f"{cell.first.number}. {escape(task)}", *map(escape, _numbers(cell)))
    console.print(table)
    console.print(f"above: {escape(one)}; below: {escape(two)}", style="dim")
    for note in notes(pair):
        console.print(escape(note), style="dim")


def _numbers(cell: PairedCell) -> list[str]:
    """Of one row: what the two have stands one above the other."""
    from synthbench.leaderboard.standings.pair_words import detectable_text
    from synthbench.metrics.formatting import format_p_value, format_ratio, format_time_to_target

    both = (cell.first, cell.second)
    medians = (
        format_time_to_target(one.summary.samples_to_target, one.times.budget)[0] for one in both
    )
    return [
        "\n".join(f"{one.summary.solved}/{one.summary.replicas}" for one in both),
        "\n".join(medians),
        "\n".join(format_ratio(cell.comparison.ratio_of_medians)).rstrip(),
        format_p_value(cell.p_value),
        detectable_text(cell.detectable),
    ]
