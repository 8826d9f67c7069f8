"""The multiplexer, gated linear units and total influence, as a SynthBench plugin."""

from pathlib import Path

from synthbench import hookimpl

synthbench_plugin_api = 1


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_example.multiplexer import Multiplexer

    return [Multiplexer]


@hookimpl
def register_models():
    """Provide the model."""
    from synthbench_example.gated_linear import GatedLinear

    return [GatedLinear]


@hookimpl
def register_probes():
    """Provide the probe."""
    from synthbench_example.total_influence import TotalInfluence

    return [TotalInfluence]


@hookimpl
def register_suites():
    """Provide the leaderboard."""
    return [Path(__file__).parent / "suite.toml"]


@hookimpl
def register_studies():
    """Provide the paper study."""
    return [Path(__file__).parent / "bit-by-bit.toml"]
