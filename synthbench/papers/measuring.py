"""A grid of measurements: which configurations it has, and measuring what is missing of them."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.contracts.measurement import Measurement
from synthbench.errors import DiskError, RecordError
from synthbench.evaluation.failures import MeasurementsFailedError, reason
from synthbench.evaluation.studies.plan import spanned
from synthbench.hashing import content_hash
from synthbench.listeners.listener import Listener
from synthbench.measurements.record import MeasurementRecord
from synthbench.measurements.rows import MeasuredRows, check_rows
from synthbench.measurements.store import Measured, folder_of, read_measured, write_measured
from synthbench.metrics.formatting import format_seconds
from synthbench.records.schema import Distribution
from synthbench.registry.fingerprints.source import source_fingerprint
from synthbench.registry.kinds import MEASUREMENT
from synthbench.registry.participants import provider_of
from synthbench.registry.registry import installed

if TYPE_CHECKING:
    from synthbench.records.schema import Environment


@dataclass(frozen=True)
class MeasuredGrid:
    """Measurements, each of the seeds 0 to `seeds` - 1.

    references: such as `'parity-search n=[20,40]'`, whose fields may take several values. folder:
    of the rows, one below it for each configuration.
    """

    references: Sequence[str]
    seeds: int
    folder: Path

    @cached_property
    def configurations(self) -> list[Measurement]:
        """Each once, in the order in which they are written.

        Raises a SynthbenchError for a reference that is not allowed.
        """
        every = (each for reference in self.references for each in spanned(MEASUREMENT, reference))
        return list({content_hash(each.describe()): each for each in every}.values())

    def summary(self) -> str:
        """`12 measurements x 16 seeds; varied: algorithm, n`."""
        spaces = [installed().space(MEASUREMENT, reference) for reference in self.references]
        varied = ", ".join(dict.fromkeys(name for space in spaces for name in space.varied))
        count = len(self.configurations)
        word = "measurement" if count == 1 else "measurements"
        return f"{count:,} {word} x {self.seeds:,} seeds{f'; varied: {varied}' if varied else ''}"

    def kept(
        self, leave_out: Callable[[Path, RecordError], object] | None = None
    ) -> list[Measured | None]:
        """What lies in the folder of each configuration; None where nothing does.

        leave_out: told of a folder that cannot be read, as which it counts then; without it, that
        raises RecordError.
        """
        return [self._kept(config, leave_out) for config in self.configurations]

    def _kept(
        self, config: Measurement, leave_out: Callable[[Path, RecordError], object] | None
    ) -> Measured | None:
        folder = folder_of(self.folder, config)
        try:
            found = read_measured(folder)
        except RecordError as error:
            if leave_out is None:
                raise
            leave_out(folder, error)
            return None
        return found if found and _is_current(found, config) else None

    def forecast(self) -> str:
        """What measuring it would take, as far as that can be known beforehand."""
        wanted = range(self.seeds)
        counts = [len(each.of(wanted)) if each else 0 for each in self.kept()]
        finished, all_rows = sum(counts), self.seeds * len(counts)
        return (
            f"{self.summary()}: {all_rows - finished:,} of {all_rows:,} rows to measure, "
            f"{finished:,} finished; how long that takes is not known"
        )


def measure_grid(grid: MeasuredGrid, listener: Listener, *, resume: bool = True) -> MeasuredRows:
    """Measure what is missing of a grid, one configuration after the other.

    resume: keep rows that are there. Raises a SynthbenchError before anything is measured where a
    configuration is not allowed. One of several that fails does not keep the others from being
    measured: MeasurementsFailedError then says which, and why. A single one raises its own error,
    ConfigurationError for rows that are none.
    """
    wanted, parts = range(grid.seeds), list[Measured]()
    failed: dict[str, Exception] = {}
    kept = grid.kept() if resume else [None] * len(grid.configurations)
    pairs = zip(grid.configurations, kept, strict=True)
    for number, (config, before) in enumerate(pairs, start=1):
        missing = [seed for seed in wanted if before is None or seed not in before.of(wanted)]
        name = f"[{number}/{len(kept)}] {config.label()}"
        if before is not None and not missing:
            listener.note(f"{name}: already measured")
            parts.append(before)
            continue
        try:
            parts.append(_measured(config, missing, before, folder_of(grid.folder, config)))
        except Exception as error:
            if len(kept) == 1 or isinstance(error, DiskError):
                raise
            failed[config.label()] = error
            listener.note(f"{name}: failed: {reason(error)}")
            continue
        took = parts[-1].record.seconds - (before.record.seconds if before else 0.0)
        listener.note(f"{name}: {len(missing)} seeds in {format_seconds(took)}")
    if failed:
        raise MeasurementsFailedError(MeasuredRows(tuple(parts)), failed)
    return MeasuredRows(tuple(parts))


def _measured(
    config: Measurement, seeds: Sequence[int], before: Measured | None, folder: Path
) -> Measured:
    """With rows of further seeds, as they then lie in the folder."""
    begun = time.perf_counter()
    found = check_rows(
        config.label(), len(seeds), config.measure(seeds), list(type(config).model_fields)
    )
    took = time.perf_counter() - begun
    rows = {} if before is None else before.of(before.record.seeds)
    record = MeasurementRecord(
        label=config.label(),
        measurement=config.describe(),
        seeds=(),
        seconds=took + (before.record.seconds if before else 0.0),
        code=_code(config),
        environment=_environment(config),
        rows="0" * 64,
    )
    return write_measured(folder, {**rows, **dict(zip(seeds, found, strict=True))}, record)


def _is_current(measured: Measured, config: Measurement) -> bool:
    """Whether its code is what it was; another Python version may read source differently."""
    before, here = measured.record.environment.python, platform.python_version()
    same_reader = before.split(".")[:2] == here.split(".")[:2]
    return not same_reader or measured.record.code == _code(config)


def _code(config: Measurement) -> str:
    return source_fingerprint((type(config),))


def _environment(config: Measurement) -> Environment:
    import torch

    from synthbench.evaluation.record_writing import describe_environment

    plugin = provider_of(MEASUREMENT, config)
    plugins = () if plugin is None else (
        Distribution(
            plugin=plugin.name,
            distribution=plugin.distribution,
            version=plugin.distribution_version,
        ),
    )  # fmt: skip
    return describe_environment(torch.device("cpu"), plugins)
