"""Grids of cells, from Python, a file or flags, and their evaluation."""
