"""Trained networks, rebuilt from the weights that a record keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from synthbench.errors import RecordError
from synthbench.records.reading import WEIGHTS_FILE
from synthbench.records.schema import Record
from synthbench.registry import installed

if TYPE_CHECKING:
    from torch import nn

    from synthbench.model import Model
    from synthbench.task import Task


def load_network(record: Record, folder: Path, replica: int) -> nn.Module:
    """One replica's network as it was when the replica stopped, in evaluation mode, on CPU.

    Raises RecordError when no weights were kept, or there is no such replica.
    """
    import torch
    from safetensors.torch import load_file

    if WEIGHTS_FILE not in record.files:
        raise RecordError(f"{folder} has no weights; evaluate with --keep-weights")
    if not 0 <= replica < record.summary.replicas:
        raise RecordError(f"replica must be from 0 to {record.summary.replicas - 1}, got {replica}")
    name = record.plan["model"]["name"]
    if name not in installed().names("models"):
        raise RecordError(
            f'"{name}" is not from an installed plugin; build it yourself and load {WEIGHTS_FILE}'
        )
    task = cast("Task", installed().rebuild("tasks", record.plan["task"]))
    model = cast("Model", installed().rebuild("models", record.plan["model"]))
    with torch.random.fork_rng(devices=[]):
        network = model.build(task.interface)
    weights = load_file(folder / WEIGHTS_FILE)
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            tensor.copy_(weights[name][replica])
    return network.eval()
