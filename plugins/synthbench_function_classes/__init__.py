"""Regression in context over classes of functions, as a plugin."""
