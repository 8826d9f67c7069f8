"""Functions of a few directions of Gaussian inputs, as a plugin."""
