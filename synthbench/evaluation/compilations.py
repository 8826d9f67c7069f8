"""What compiling has cost on this machine and what it has brought, as far as that was measured."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from statistics import median

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from synthbench.engine.axis.compiling import Program
from synthbench.errors import OutputError
from synthbench.records.atomic import make_folder, write_atomically

VARIABLE = "SYNTHBENCH_CACHE"
FILE = "compilations.json"
LONGEST = 500
"""So many are remembered, the latest."""
PRIOR_SECONDS, PRIOR_SECONDS_PER_OPERATION = 15.0, 0.05
"""What a first compilation is taken to cost before any was measured: more than most."""
PRIOR_RATIO = 0.8
"""The share of its time that a step of an unknown kind is taken to need once it is compiled."""
LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Compilation:
    """One program that was compiled.

    machine: where, and with how many threads. first_seconds, seconds: what compiling it took the
    first time and the last, when torch may have kept it. ratio: time of a compiled step as a share
    of that of a replayed one.
    """

    machine: str
    kind: str
    digest: str
    operations: int
    numbers: int
    first_seconds: float
    seconds: float
    ratio: float


@dataclass(frozen=True)
class Compilations:
    """Those of one machine, in a file of the user's cache folder."""

    path: Path
    machine: str
    known: Sequence[Compilation]

    def expected_seconds(self, program: Program) -> float:
        """What compiling a program will take."""
        for one in self.known:
            if one.digest == program.digest:
                return one.seconds
        slower = [one.first_seconds / _prior_seconds(one.operations) for one in self.known]
        return _prior_seconds(program.operations) * (median(slower) if slower else 1.0)

    def expected_ratio(self, program: Program) -> float:
        """Time of its compiled step as a share of the replayed one's.

        That of the same program or of the one of its kind that is closest in size.
        """
        alike = [one for one in self.known if one.kind == program.kind]
        if not alike:
            return PRIOR_RATIO
        return min(alike, key=lambda one: abs(log(one.numbers / program.numbers))).ratio

    def add(self, program: Program, seconds: float, ratio: float) -> None:
        """Remember one; nothing happens where the file cannot be written."""
        try:
            make_folder(self.path.parent)
            with FileLock(self.path.with_suffix(".lock"), timeout=LOCK_SECONDS):
                everything = _read(self.path)
                found = [one for one in everything if self._is(one, program)]
                first = found[0].first_seconds if found else seconds
                entry = Compilation(
                    self.machine,
                    program.kind,
                    program.digest,
                    program.operations,
                    program.numbers,
                    first_seconds=first,
                    seconds=seconds,
                    ratio=ratio,
                )
                kept = [one for one in everything if not self._is(one, program)]
                content = [asdict(one) for one in [*kept, entry][-LONGEST:]]
                write_atomically(self.path, json.dumps(content, indent=1).encode())
        except (OutputError, OSError, Timeout):
            return

    def _is(self, one: Compilation, program: Program) -> bool:
        return one.machine == self.machine and one.digest == program.digest


def known_compilations(machine: str) -> Compilations:
    """What is remembered of a machine, in `SYNTHBENCH_CACHE` or the user's cache folder."""
    folder = os.environ.get(VARIABLE)
    path = (Path(folder) if folder else user_cache_path("synthbench")) / FILE
    return Compilations(path, machine, [one for one in _read(path) if one.machine == machine])


def _prior_seconds(operations: int) -> float:
    return PRIOR_SECONDS + PRIOR_SECONDS_PER_OPERATION * operations


def _read(path: Path) -> list[Compilation]:
    """What the file holds; nothing if it is missing, damaged or of another version."""
    try:
        return [Compilation(**entry) for entry in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
