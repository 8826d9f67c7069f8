"""The laws of optimizers, one file per group."""
