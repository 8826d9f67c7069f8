"""Arithmetic on finite groups, of which a share of the table is trained on, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide modular arithmetic and the composition of permutations."""
    from synthbench_arithmetic.modular import ModularArithmetic
    from synthbench_arithmetic.permutations import PermutationComposition

    return [ModularArithmetic, PermutationComposition]


@hookimpl
def register_probes():
    """Provide the probes of Fourier structure."""
    from synthbench_arithmetic.fourier_spectrum import FourierSpectrum
    from synthbench_arithmetic.restricted_loss import RestrictedLoss

    return [FourierSpectrum, RestrictedLoss]
