"""Leaderboards: submissions checked, ranked, shown, verified."""

from synthbench.leaderboard.board import Board, read_board
from synthbench.leaderboard.entry import Entry, EntryCell
from synthbench.leaderboard.submission import Submission

__all__ = ["Board", "Entry", "EntryCell", "Submission", "read_board"]
