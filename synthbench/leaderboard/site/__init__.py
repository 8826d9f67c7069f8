"""A static web site of the leaderboards: every page is whole in itself and opens from disk."""

from synthbench.leaderboard.site.build import build_site

__all__ = ["build_site"]
