"""Whether the step of a cell is compiled: where what is left of it pays for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from synthbench.engine.axis.compiling import CannotCompile, Compiler, Program, program_of
from synthbench.engine.axis.recording import Recording
from synthbench.engine.axis.tracing import Execute, replayed
from synthbench.engine.axis.way import Executor
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.evaluation.compilations import Compilations
from synthbench.evaluation.settings import Compile

SHORT = 5.0
"""Seconds of training for which nothing is looked at: it is over before it is compiled."""
PAYS = 1.5
"""The time that is saved must be so many times what compiling is expected to cost."""
FASTER = 0.95
"""A compiled step must take less than this share of a replayed one's time."""


@dataclass(frozen=True)
class Trial:
    """The stack of a cell, to be tried.

    left: seconds that all steps to come will take when they are replayed. build: its functions,
    executed in some way. seconds: of one step with these functions.
    """

    left: float
    build: Callable[[Execute], CellFunctions]
    seconds: Callable[[CellFunctions], float]


@dataclass(frozen=True)
class Choice:
    """How a recorded step is executed.

    functions: compiled already, where that was tried; None to build them. note: what a person
    should know of it.
    """

    executor: Executor = Executor.REPLAYED
    functions: CellFunctions | None = None
    note: str | None = None


def choose_executor(wanted: Compile, trial: Trial, known: Compilations) -> Choice:
    """Replay, or compile: always, or if it is expected to pay and then found to.

    What compiling cost and brought is remembered. Where it fails, the step is replayed.
    """
    if wanted == "never" or (wanted == "auto" and trial.left < SHORT):
        return Choice()
    watcher = _Watcher()
    replay = trial.seconds(trial.build(watcher))
    program = watcher.programs[-1]
    if wanted == "auto" and not _pays(trial.left, program, known):
        return Choice()
    compiler = Compiler()
    functions = trial.build(compiler)
    try:
        compiled = trial.seconds(functions)
    except CannotCompile as error:
        return Choice(note=f"replayed, not compiled ({error})")
    ratio = compiled / replay
    known.add(program, compiler.seconds, ratio)
    if wanted == "auto" and ratio >= FASTER:
        return Choice()
    note = f"compiled, in {compiler.seconds:.0f} s, and takes {ratio:.2f} of its time"
    return Choice(Executor.COMPILED, functions, note)


class _Watcher:
    """An `Execute` that replays, and keeps what the compiler would be given."""

    def __init__(self) -> None:
        self.programs: list[Program] = []

    def __call__(self, recording: Recording, leaves: Sequence[Tensor]) -> Callable[..., list[Any]]:
        self.programs.append(program_of(recording, leaves))
        return replayed(recording, leaves)


def _pays(left: float, program: Program, known: Compilations) -> bool:
    """left: seconds of all steps to come, replayed."""
    saved = left * (1 - known.expected_ratio(program))
    return saved > PAYS * known.expected_seconds(program)
