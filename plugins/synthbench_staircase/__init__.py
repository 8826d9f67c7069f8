"""Staircases and other sums of parities, as a plugin."""
