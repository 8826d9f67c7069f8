"""Kolmogorov-Arnold networks, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the KAN."""
    from synthbench_kan.model import KAN

    return [KAN]
