"""Plugins in, names to objects."""
