"""Finished cells in Python: tables, pictures, comparisons, networks."""
