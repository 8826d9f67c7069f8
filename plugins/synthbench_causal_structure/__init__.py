"""Sequences whose symbols depend on hidden parents, as a plugin."""
