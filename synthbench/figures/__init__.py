"""Figures, drawn with matplotlib from records and trajectories."""
