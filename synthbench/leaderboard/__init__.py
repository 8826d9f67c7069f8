"""Leaderboards: submissions checked, ranked, shown, verified."""

from synthbench.leaderboard.standings.board import Board, read_board
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.leaderboard.submissions.submission import Submission

__all__ = ["Board", "Entry", "EntryCell", "Submission", "read_board"]
