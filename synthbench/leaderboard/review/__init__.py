"""Reviewing a pull request: the submissions that it changes, read, checked and verified."""
