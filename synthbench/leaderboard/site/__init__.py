"""A static web site of the leaderboards: every page is whole in itself and opens from disk."""

from synthbench.leaderboard.site.build import build_site
from synthbench.leaderboard.site.section import Section

__all__ = ["Section", "build_site"]
