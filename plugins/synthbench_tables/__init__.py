"""Small real tables with few samples, as a plugin."""
