"""Samples of one world as a Hugging Face data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthbench.errors import ConfigurationError
from synthbench.streams import Purpose, Stream

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import DatasetDict
    from torch import Tensor

    from synthbench.contracts.batch import Batch, World

SPLITS = {"train": Purpose.TRAIN, "validation": Purpose.EVAL, "test": Purpose.TEST}
"""Each split has a stream of its own, so none repeats another's numbers."""
DRAWN_AT_ONCE = 1024
"""Samples of one counter; sample i does not depend on how many are asked for."""


def draw_dataset(
    draw_world: Callable[[Stream], World],
    sample: Callable[[World, Stream, int], Batch],
    samples: Mapping[str, int],
    seed: int,
) -> DatasetDict:
    """Samples of one world: columns `x`, `y` and the task's latents.

    draw_world, sample: a task's own. samples: number of samples by split. seed: of the world
    and of all splits.
    Raises ConfigurationError for an unknown split or a number below 1.
    """
    from datasets import Dataset, DatasetDict
    from datasets.table import InMemoryTable

    unknown = [name for name in samples if name not in SPLITS]
    if unknown:
        raise ConfigurationError(f"unknown split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    if any(count < 1 for count in samples.values()):
        raise ConfigurationError("every split needs at least one sample")
    world = draw_world(Stream.from_seed(seed, Purpose.WORLD))

    def split(name: str, count: int) -> Dataset:
        drawn = [
            sample(world, Stream.from_seed(seed, SPLITS[name], step), DRAWN_AT_ONCE)
            for step in range(-(-count // DRAWN_AT_ONCE))
        ]
        return Dataset(InMemoryTable(_table(drawn, count)))

    return DatasetDict({name: split(name, count) for name, count in samples.items()})


def _table(drawn: Sequence[Batch], count: int) -> pa.Table:
    """The first `count` samples of some batches."""
    import pyarrow as pa
    import torch

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
