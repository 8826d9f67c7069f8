"""Samples of one world as a Hugging Face data set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from synthbench.errors import ConfigurationError
from synthbench.isolation import isolated
from synthbench.streams import Purpose, Stream, keys_of

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import DatasetDict
    from torch import Tensor

    from synthbench.contracts.batch import Batch, World
    from synthbench.contracts.test_set import TestSet

    Sample = Callable[[World, Stream, int], Batch]

SPLITS = {"train": Purpose.TRAIN, "validation": Purpose.EVAL, "test": Purpose.TEST}
"""Each split has a stream of its own, so none repeats another's numbers."""
CALLS_APART = 2**16
"""Test set i starts at call i CALLS_APART of its stream, so that none repeats another's numbers."""
DRAWN_AT_ONCE = 1024
"""Samples of one counter; sample i does not depend on how many are asked for."""


class Sampled(Protocol):
    """What a task's data sets come from."""

    def world(self, rng: Stream) -> World:
        """One replica's hidden truth."""

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Fresh examples."""

    def train_set(self, world: World) -> Batch | None:
        """All examples that may be trained on, where there are finitely many."""

    def test_sets(self) -> Mapping[str, TestSet]:
        """The held-out distributions."""


@isolated()
def draw_dataset(task: Sampled, samples: Mapping[str, int], seed: int) -> DatasetDict:
    """Samples of one world: columns `x`, `y` and the task's latents.

    samples: number of samples by split; of a finite set no more than there are, each once. seed:
    of the world and of all splits. Test sets beyond the first are splits too, `test_NAME`, as
    large as "test". A task that brings its training set has no validation split.
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
    counts = dict(samples)
    splits = _splits(task, world, seed)
    if "test" in samples:
        counts |= {name: samples["test"] for name in splits if name.startswith("test_")}
    tables = {
        name: _table(splits[name](count), count) for name, count in counts.items() if name in splits
    }
    return DatasetDict({name: Dataset(InMemoryTable(table)) for name, table in tables.items()})


Split = Callable[[int], Sequence["Batch"]]
"""How many samples are wanted -> batches that hold at least so many, or all there are."""


def _splits(task: Sampled, world: World, seed: int) -> dict[str, Split]:
    """Every split that a task has."""

    def drawn(sample: Sample, purpose: Purpose, skipped: int = 0) -> Split:
        return lambda count: [
            sample(world, Stream(key, purpose, step, skipped), DRAWN_AT_ONCE)
            for step in range(-(-count // DRAWN_AT_ONCE))
        ]

    key = keys_of([seed])[0]
    rows = task.train_set(world)
    if rows is None:
        splits = {name: drawn(task.sample, SPLITS[name]) for name in ("train", "validation")}
    else:
        splits = {"train": partial(_all_of, rows)}
    for place, (name, found) in enumerate(task.test_sets().items()):
        split = f"test_{re.sub('[^a-z0-9]', '_', name)}" if place else "test"
        if found.whole is not None:
            splits[split] = partial(_all_of, found.whole(world))
        elif found.sample is not None:
            splits[split] = drawn(found.sample, Purpose.TEST, place * CALLS_APART)
    return splits


def _all_of(rows: Batch, _: int) -> Sequence[Batch]:
    return [rows]


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
