"""Every hook a plugin may implement.

A plugin is a module (or a class instance) named by an entry point of the group `synthbench`:

    [project.entry-points.synthbench]
    my-plugin = "synthbench_my_plugin"

Its hooks are functions marked with `synthbench.hookimpl`. Import the classes inside the
hook, so that the plugin's module costs nothing until they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from synthbench.contracts.launcher import Launcher
    from synthbench.contracts.measurement import Measurement
    from synthbench.contracts.model import Model
    from synthbench.contracts.probe import Probe
    from synthbench.contracts.recipe import Optimizer
    from synthbench.contracts.task import Task
    from synthbench.listeners.tracker import Tracker
    from synthbench.plan.cell import Cell
    from synthbench.records import Record

hookspec = pluggy.HookspecMarker("synthbench")
hookimpl = pluggy.HookimplMarker("synthbench")


@hookspec
def register_tasks() -> Iterable[type[Task]]:  # type: ignore[empty-body]
    """Return the task classes this plugin provides.

    @hookimpl
    def register_tasks():
        from synthbench_parity.task import SparseParity
        return [SparseParity]
    """


@hookspec
def register_models() -> Iterable[type[Model]]:  # type: ignore[empty-body]
    """Return the model classes this plugin provides.

    @hookimpl
    def register_models():
        from synthbench_mlp.model import MLP
        return [MLP]
    """


@hookspec
def register_probes() -> Iterable[type[Probe]]:  # type: ignore[empty-body]
    """Return the probe classes this plugin provides.

    @hookimpl
    def register_probes():
        from synthbench_dynamics.weight_movement import WeightMovement
        return [WeightMovement]
    """


@hookspec
def register_optimizers() -> Iterable[type[Optimizer]]:  # type: ignore[empty-body]
    """Return the optimizer classes this plugin provides.

    @hookimpl
    def register_optimizers():
        from synthbench_muon.muon import Muon
        return [Muon]
    """


@hookspec
def register_trackers() -> Iterable[type[Tracker]]:  # type: ignore[empty-body]
    """Return the tracker classes this plugin provides.

    @hookimpl
    def register_trackers():
        from synthbench_wandb.tracker import WandbTracker
        return [WandbTracker]
    """


@hookspec
def register_launchers() -> Iterable[type[Launcher]]:  # type: ignore[empty-body]
    """Return the launcher classes this plugin provides.

    @hookimpl
    def register_launchers():
        from synthbench_ray.launcher import RayLauncher
        return [RayLauncher]
    """


@hookspec
def register_measurements() -> Iterable[type[Measurement]]:  # type: ignore[empty-body]
    """Return the measurement classes this plugin provides.

    @hookimpl
    def register_measurements():
        from synthbench_parity.parity_search import ParitySearch
        return [ParitySearch]
    """


@hookspec
def register_suites() -> Iterable[Path]:  # type: ignore[empty-body]
    """Return the suite files (TOML) this plugin provides.

    @hookimpl
    def register_suites():
        return [Path(__file__).parent / "quickstart.toml"]
    """


@hookspec
def register_studies() -> Iterable[Path]:  # type: ignore[empty-body]
    """Return the paper studies (TOML) this plugin provides.

    @hookimpl
    def register_studies():
        return [Path(__file__).parent / "hidden-progress.toml"]
    """


@hookspec
def eval_started(cells: Sequence[Cell]) -> None:
    """Called once before the first cell trains, with every planned cell.

    @hookimpl
    def eval_started(cells):
        print(f"{len(cells)} cells")
    """


@hookspec
def cell_finished(record: Record) -> None:
    """Called when a cell's record has been written, or was found finished.

    @hookimpl
    def cell_finished(record):
        print(record.summary.solved)
    """


@hookspec
def eval_finished(records: Sequence[Record]) -> None:
    """Called once after the last cell, with every record in the order of the cells.

    @hookimpl
    def eval_finished(records):
        print(len(records), "records")
    """
