"""A static web site of the leaderboards: every page is whole in itself and opens from disk."""

from synthbench.leaderboard.site.build import Section, build_site

__all__ = ["Section", "build_site"]
