"""Well-nested brackets of bounded depth, as a plugin."""
