"""Grids that are measured and not trained: what is asked for, what is kept, and its table."""
