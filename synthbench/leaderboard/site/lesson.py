"""What is learnt from a board, in two sentences: the suite's own words, or what its numbers say."""

from __future__ import annotations

from synthbench.leaderboard.site.numbers import Shown, show_score
from synthbench.leaderboard.standings.board import Board
from synthbench.metrics.formatting import format_count


def lesson(board: Board) -> str:
    """The suite's words where it has them; else who leads, and which cell tells most."""
    if board.suite.lesson:
        return board.suite.lesson
    if len(board.entries) < 2:
        return ""
    return f"{_leader(board)} {_cells(board)}"


def _leader(board: Board) -> str:
    """Who needs the fewest samples, and whether that is sure."""
    best, samples = board.entries[0], show_score(board.entries[0], board.entries[0].samples)
    ties = sum(entry.rank.low == 1 for entry in board.entries[1:])
    sure = (
        f"{ties} other{'s' * (ties > 1)} may be as good"
        if ties
        else "no other may be as good at these seeds"
    )
    if best.is_reference:
        start = f"None of {len(board.entries)} needs fewer samples than the reference, "
        return f"{start}{best.submission.title}; {sure}."
    return (
        f"{best.submission.title} needs the fewest samples, {_with_interval(samples)} times those "
        f"of {board.relative_to}; {sure}."
    )


def _with_interval(shown: Shown) -> str:
    return f"{shown.text} {shown.interval}".strip()


def _cells(board: Board) -> str:
    """The cell that fewest solve; where all solve all, that on which they differ most."""
    count = len(board.entries)
    solved = [
        sum(entry.cells[index].solved for entry in board.entries)
        for index in range(len(board.tasks))
    ]
    if min(solved) < count:
        hardest = solved.index(min(solved))
        whole = sum(one == count for one in solved)
        return (
            f"Hardest is {board.tasks[hardest]}, which {min(solved)} of {count} solve within the "
            f"budget; all solve {whole} of {len(solved)} cells."
        )
    medians = [
        [entry.cells[index].summary.samples_to_target.value or 1.0 for entry in board.entries]
        for index in range(len(board.tasks))
    ]
    widest = max(range(len(medians)), key=lambda i: max(medians[i]) / min(medians[i]))
    low, high = (format_count(end(medians[widest])) for end in (min, max))
    return (
        f"All solve every cell; they differ most on {board.tasks[widest]}, from {low} to {high} "
        "samples."
    )
