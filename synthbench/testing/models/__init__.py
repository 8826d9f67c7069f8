"""The laws of models, one file for each group."""
