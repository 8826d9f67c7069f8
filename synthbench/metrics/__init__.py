"""Metrics: pure functions from trajectories to estimates with intervals."""
