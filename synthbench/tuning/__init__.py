"""Tuning: configurations that are tried on seeds of their own, and the one that is chosen."""
