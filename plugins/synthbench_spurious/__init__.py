"""A spurious feature beside a core one, as a plugin."""
