"""Leaderboards: submissions checked, ranked, shown, verified."""
