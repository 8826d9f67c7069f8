"""Sparse parity, networks and classical searches for it, and probes of hidden progress."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the tasks."""
    from synthbench_parity.curriculum import CurriculumParity
    from synthbench_parity.task import SparseParity

    return [SparseParity, CurriculumParity]


@hookimpl
def register_models():
    """Provide the networks with a parity's own structure."""
    from synthbench_parity.polynet import PolyNet
    from synthbench_parity.sine_neuron import SineNeuron

    return [PolyNet, SineNeuron]


@hookimpl
def register_probes():
    """Provide the probes of hidden progress."""
    from synthbench_parity.degree_one import DegreeOne
    from synthbench_parity.feature_overlap import FeatureOverlap
    from synthbench_parity.fourier_gap import FourierGap
    from synthbench_parity.gradient_support import GradientSupport
    from synthbench_parity.support_mass import SupportMass

    return [SupportMass, FeatureOverlap, FourierGap, GradientSupport, DegreeOne]


@hookimpl
def register_measurements():
    """Provide what classical searches need."""
    from synthbench_parity.parity_search import ParitySearch

    return [ParitySearch]
