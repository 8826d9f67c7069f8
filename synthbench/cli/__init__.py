"""The command line; each command in a file of its own.

Modules that need torch are imported inside the commands, so that `--help` answers at once.
"""
