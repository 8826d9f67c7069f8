"""A task's samples as Hugging Face data sets, with a card that says where they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from synthbench.errors import ConfigurationError
from synthbench.streams import Purpose, Stream

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import DatasetDict
    from torch import Tensor

    from synthbench.contracts.task import Task, World

SPLITS = {"train": Purpose.TRAIN, "validation": Purpose.EVAL, "test": Purpose.TEST}
"""Each split has a stream of its own, so none repeats another's numbers."""
DRAWN_AT_ONCE = 1024
"""Samples of one counter; sample i does not depend on how many are asked for."""


def task_dataset(task: Task, samples: Mapping[str, int], seed: int) -> DatasetDict:
    """Samples of one world: columns `x`, `y` and the task's latents.

    samples: number of samples by split. seed: of the world and of all splits.
    Raises ConfigurationError for an unknown split or a number below 1.
    """
    from datasets import Dataset, DatasetDict
    from datasets.table import InMemoryTable

    unknown = [name for name in samples if name not in SPLITS]
    if unknown:
        raise ConfigurationError(f"unknown split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    if any(count < 1 for count in samples.values()):
        raise ConfigurationError("every split needs at least one sample")
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    return DatasetDict(
        {
            name: Dataset(InMemoryTable(_table(task, world, (seed, SPLITS[name]), count)))
            for name, count in samples.items()
        }
    )


def _table(task: Task, world: World, stream: tuple[int, Purpose], count: int) -> pa.Table:
    import pyarrow as pa
    import torch

    seed, purpose = stream
    drawn = [
        task.sample(world, Stream.from_seed(seed, purpose, step), DRAWN_AT_ONCE)
        for step in range(-(-count // DRAWN_AT_ONCE))
    ]
    columns = [{"x": batch.x, "y": batch.y, **batch.latents} for batch in drawn]
    return pa.table(
        {name: _column(torch.cat([c[name] for c in columns])[:count]) for name in columns[0]}
    )


def _column(tensor: Tensor) -> pa.Array:
    """(B, ...) as an arrow column of numbers, or of lists of fixed length, one for each axis."""
    import pyarrow as pa

    compact = _compact(tensor)
    column: Any = pa.array(compact.reshape(-1).numpy())
    for length in reversed(compact.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column


def _compact(tensor: Tensor) -> Tensor:
    """Whole numbers, signs among them, in the smallest type that holds them."""
    import torch

    if tensor.is_floating_point() and not bool((tensor == tensor.round()).all()):
        return tensor
    for kind in (torch.int8, torch.int16, torch.int32):
        limits = torch.iinfo(kind)
        if not tensor.numel() or limits.min <= int(tensor.min()) <= int(tensor.max()) <= limits.max:
            return tensor.to(kind)
    return tensor


def dataset_card(task: Task, samples: Mapping[str, int], seed: int, *, version: str) -> str:
    """The README of an exported data set: formula, configuration, seed, exact scores, paper."""
    fields = task.model_dump(mode="json")
    scores = task.exact_scores()
    lines = [
        "---",
        f"pretty_name: {json.dumps(task.label())}",
        "tags: [synthetic, synthbench]",
        "---",
        "",
        f"# {task.label()}",
        "",
        cleandoc(type(task).__doc__ or ""),
        "",
        f"- Made by synthbench {version}: `synthbench data export '{task.label()}' --seed {seed}`",
        f"- Seed {seed}; every split has its own random stream, and sample i does not depend on "
        "how many there are.",
        f"- Samples: {', '.join(f'{name} {count:,}' for name, count in samples.items())}",
    ]
    if task.paper:
        lines.append(f"- Paper: {task.paper}")
    lines += ["", "| field | value |", "| --- | --- |"]
    lines += [f"| {name} | {json.dumps(value)} |" for name, value in fields.items()]
    if scores:
        lines += ["", "| reference | exact score |", "| --- | --- |"]
        lines += [f"| {name} | {value:.6g} |" for name, value in scores.items()]
    return "\n".join(lines) + "\n"
