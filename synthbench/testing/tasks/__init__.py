"""The laws of tasks, one file for each group."""
