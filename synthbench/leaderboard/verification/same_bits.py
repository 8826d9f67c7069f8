"""When a rerun must give the very bits of the record, and where it does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from synthbench.engine.axis.way import Executor
from synthbench.leaderboard.verification.rerun import Rerun, recorded_way
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.schema import Compute, Environment, Record

DECIDING = (
    "synthbench", "torch", "libraries", "device", "device_name", "threads", "torch_settings",
)  # fmt: skip
"""What the last bits of a training on CPU depend on, beside plugins and the C library."""
RELEASE = re.compile(r"^Linux-.*?-(?=(x86_64|aarch64|ppc64le|riscv64|s390x|i686)-)")


def other_versions(recorded: Environment, here: Environment) -> list[str]:
    """The plugins that both name in different versions, or with different code, one a line."""
    own = {plugin.plugin: plugin.version for plugin in here.plugins}
    return [
        f'plugin "{plugin.plugin}" is recorded as {plugin.version}, and {own[plugin.plugin]} here'
        for plugin in recorded.plugins
        if own.get(plugin.plugin, plugin.version) != plugin.version
    ]


def same_setup(one: Environment, other: Environment) -> bool:
    """Whether trainings in two environments have the same bits.

    On CPUs only, of which the record names model and vector instructions: on a GPU sums depend on
    how many replicas are trained at once.
    """
    return (
        one.device == "cpu"
        and "(" in one.device_name
        and all(getattr(one, name) == getattr(other, name) for name in DECIDING)
        and RELEASE.sub("", one.platform) == RELEASE.sub("", other.platform)
        and not other_versions(one, other)
    )


def owes_bits(compute: Compute) -> bool:
    """Whether training as a record says comes to the same bits twice in one setup.

    Compiled steps depend on a compiler that no record names.
    """
    return compute.executor != Executor.COMPILED.value


def replicas_of_same_bits(record: Record, rerun: Rerun) -> list[int]:
    """The places in the rerun of replicas that were trained as the rerun was."""
    way = recorded_way(record.compute)
    executor = Executor(record.compute.executor or Executor.REPLAYED)
    if way is not rerun.way or executor is not rerun.executor or not owes_bits(record.compute):
        return []
    earlier = {number: part.environment for part in record.earlier for number in part.replicas}
    return [
        place
        for place, number in enumerate(rerun.replicas)
        if same_setup(earlier.get(number, record.environment), rerun.environment)
    ]


def other_bits(
    claimed: Trajectories, found: Trajectories, places: Sequence[int]
) -> list[tuple[int, str, int]]:
    """Of these replicas those that differ: place, the first such column, and its first step.

    claimed, found: of the same replicas in the same order.
    """
    ones, others = _by_replica(claimed), _by_replica(found)
    differing = []
    for place in places:
        one, other = ones[place], others[place]
        for name in one.column_names:
            if not one[name].equals(other[name]):
                rows = zip(one[name].to_pylist(), other[name].to_pylist(), strict=False)
                row = next((i for i, (a, b) in enumerate(rows) if a != b), -1)
                differing.append((place, name, one["step"][row].as_py()))
                break
    return differing


def _by_replica(trajectories: Trajectories) -> list[pa.Table]:
    """The rows of each replica, without its number."""
    rows = np.cumsum([0, *map(len, trajectories.by_replica("step"))])
    table = trajectories.table.drop_columns(["replica"])
    return [table.slice(start, stop - start) for start, stop in pairwise(rows.tolist())]
