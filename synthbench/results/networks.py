"""Trained networks, rebuilt from the weights that a record keeps."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.errors import RecordError
from synthbench.isolation import isolated
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.task_facts import longest_interface
from synthbench.records.reading import WEIGHTS_FILE
from synthbench.records.schema import Record
from synthbench.records.weights import read_weights

if TYPE_CHECKING:
    from torch import nn

    from synthbench.contracts.model import Model
    from synthbench.contracts.task import Task
    from synthbench.plan.cell import Cell


@isolated()
def load_network(
    record: Record, folder: Path, replica: int, cell: Cell | None = None, step: int | None = None
) -> nn.Module:
    """One replica's network, in evaluation mode, on CPU.

    cell: what was evaluated, if it is at hand; otherwise it is rebuilt from the record. step: as
    it was at the last evaluation at or before this step; none: when the replica stopped. Raises
    RecordError when these weights were not kept, there is no such replica, or the record alone
    does not say how to build the network.
    """
    # Here, so that reading results does not wait for torch.
    import torch

    from synthbench.engine.axis.building import build_modules

    weights = read_weights(record, folder, None if step is None else evaluated_at(record, step))
    if not 0 <= replica < record.summary.replicas:
        raise RecordError(f"replica must be from 0 to {record.summary.replicas - 1}, got {replica}")
    task, model = plan_of_network(record, cell)
    # As it was built to be trained: what it keeps beside parameters and buffers is the same.
    seed = record.replicas[replica].seeds["init"]
    (network,) = build_modules(model, longest_interface(task), [seed])
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            tensor.copy_(weights[name][replica])
    return network.eval()


def plan_of_network(record: Record, cell: Cell | None = None) -> tuple[Task, Model]:
    """The task and the model of a record; cell: what was evaluated, if it is at hand."""
    return (cell.task, cell.model) if cell is not None else _rebuilt(record)


def evaluated_at(record: Record, step: int) -> int:
    """The step of the last evaluation at or before a step from 0 on."""
    if step < 0:
        raise RecordError(f"step must be 0 or more, got {step}")
    points = evaluation_steps(record.steps, record.protocol["resolution"])
    return points[bisect_right(points, step) - 1]


def _rebuilt(record: Record) -> tuple[Task, Model]:
    """The task and the model of a record, from the installed plugins."""
    # Here, so that reading results loads no plugin.
    from synthbench.registry.kinds import MODEL, TASK
    from synthbench.registry.participants import uninstalled
    from synthbench.registry.registry import installed

    registry, task, model = installed(), record.task_plan, record.model_plan
    own = uninstalled(TASK, task) or uninstalled(MODEL, model)
    if own is not None:
        raise RecordError(
            f'"{own}" is not from an installed plugin, so the record does not say how to build '
            f"it; call network() on the result of evaluate, or load {WEIGHTS_FILE} into a network "
            "of your own"
        )
    return registry.rebuild(TASK, task), registry.rebuild(MODEL, model)
