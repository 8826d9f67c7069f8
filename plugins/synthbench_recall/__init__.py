"""Associative recall and selective copying, as a plugin."""
