"""Muon, an optimizer that orthogonalizes the updates of matrices, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_optimizers():
    """Provide Muon."""
    from synthbench_muon.muon import Muon

    return [Muon]
