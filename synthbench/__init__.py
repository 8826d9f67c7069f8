"""SynthBench measures how models learn, not only whether they learn.

The public names, each imported when it is first used so that `import synthbench` is cheap.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

# By default MKL's sums depend on where in memory a matrix lies, hence a replica's last bits on
# its place in the stack. In this mode they do not; it must be set before torch first multiplies.
os.environ.setdefault("MKL_CBWR", "AUTO")

if TYPE_CHECKING:
    from synthbench.bare_model import as_model
    from synthbench.cell import Cell, Protocol
    from synthbench.cell_run import Settings
    from synthbench.configuration import Configuration
    from synthbench.dropout import Dropout
    from synthbench.engine.block import TrainerOptions
    from synthbench.errors import InterfaceError, SynthbenchError
    from synthbench.evaluation import evaluate, evaluate_cells
    from synthbench.formatting import format_count, format_estimate
    from synthbench.hookspecs import hookimpl
    from synthbench.interface import Interface, Margin, Port, Signs, TokenLogits, Tokens
    from synthbench.leaderboard import Board, Entry, read_board
    from synthbench.losses import MARGIN_LOSSES, NEXT_TOKEN_LOSSES, Loss
    from synthbench.model import Model
    from synthbench.optimizer import Optimizer
    from synthbench.probe import Activations, Probe, View
    from synthbench.recipe import Recipe
    from synthbench.records import Record, SuiteReference, read_record
    from synthbench.results import CellResult, Results, read_results
    from synthbench.streams import Purpose, Stream
    from synthbench.task import Batch, KnownAlgorithm, Task
    from synthbench.tracker import TrackedCell, Tracker
    from synthbench.trajectories import Trajectories

__version__ = "0.1.0"
PLUGIN_API = 1
"""What `synthbench_plugin_api` in a plugin's root module refers to; checked when it loads."""

_HOMES = {
    "Activations": "probe",
    "MARGIN_LOSSES": "losses",
    "Batch": "task",
    "Board": "leaderboard",
    "Cell": "cell",
    "CellResult": "results",
    "Configuration": "configuration",
    "Dropout": "dropout",
    "Entry": "leaderboard",
    "Interface": "interface",
    "InterfaceError": "errors",
    "KnownAlgorithm": "task",
    "Loss": "losses",
    "Margin": "interface",
    "Model": "model",
    "NEXT_TOKEN_LOSSES": "losses",
    "Optimizer": "optimizer",
    "Port": "interface",
    "Probe": "probe",
    "Protocol": "cell",
    "Purpose": "streams",
    "Recipe": "recipe",
    "Record": "records",
    "Results": "results",
    "Settings": "cell_run",
    "Signs": "interface",
    "Stream": "streams",
    "SuiteReference": "records",
    "SynthbenchError": "errors",
    "Task": "task",
    "TokenLogits": "interface",
    "Tokens": "interface",
    "TrackedCell": "tracker",
    "Tracker": "tracker",
    "Trajectories": "trajectories",
    "TrainerOptions": "engine.block",
    "View": "probe",
    "as_model": "bare_model",
    "evaluate": "evaluation",
    "evaluate_cells": "evaluation",
    "format_count": "formatting",
    "format_estimate": "formatting",
    "hookimpl": "hookspecs",
    "read_board": "leaderboard",
    "read_record": "records",
    "read_results": "results",
}

__all__ = [
    "MARGIN_LOSSES",
    "NEXT_TOKEN_LOSSES",
    "PLUGIN_API",
    "Activations",
    "Batch",
    "Board",
    "Cell",
    "CellResult",
    "Configuration",
    "Dropout",
    "Entry",
    "Interface",
    "InterfaceError",
    "KnownAlgorithm",
    "Loss",
    "Margin",
    "Model",
    "Optimizer",
    "Port",
    "Probe",
    "Protocol",
    "Purpose",
    "Recipe",
    "Record",
    "Results",
    "Settings",
    "Signs",
    "Stream",
    "SuiteReference",
    "SynthbenchError",
    "Task",
    "TokenLogits",
    "Tokens",
    "TrackedCell",
    "Tracker",
    "TrainerOptions",
    "Trajectories",
    "View",
    "as_model",
    "evaluate",
    "evaluate_cells",
    "format_count",
    "format_estimate",
    "hookimpl",
    "read_board",
    "read_record",
    "read_results",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"synthbench.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'synthbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
