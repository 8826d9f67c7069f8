"""What a worker is asked to do: to measure how a stack is trained, and to train its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from synthbench.contracts.launcher import Hear
from synthbench.engine.axis.way import Execution, Way
from synthbench.engine.training.allocator import keep_freed_memory
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.device import find_device
from synthbench.evaluation.logger_relay import Logged, LoggerRelay
from synthbench.evaluation.machine import Machine
from synthbench.evaluation.progress_relay import News, ProgressRelay, Remark
from synthbench.evaluation.record_writing import describe_environment
from synthbench.evaluation.shared_block import SharedBlock
from synthbench.evaluation.stack import Stack
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.evaluation.training_functions import functions_here
from synthbench.isolation import isolated
from synthbench.isolation.threads import threads
from synthbench.plan.cell import Cell
from synthbench.registry.participants import code_versions


@dataclass(frozen=True)
class Said:
    """What a job says while it runs; job: its number."""

    job: int
    news: News | Logged


@dataclass(frozen=True)
class Describing:
    """Say where this runs, and in which versions third-party plugins are there."""

    accelerator: str
    cells: tuple[Cell, ...]

    def __call__(self, tell: Hear) -> tuple[Machine, list[dict[str, str]]]:
        """Describe it; of the versions a dictionary for each cell."""
        with _at_work():
            machine = Machine.here(find_device(self.accelerator))
            return machine, [code_versions(cell) for cell in self.cells]


@dataclass(frozen=True)
class Measuring:
    """Find out how a stack is trained best where this runs.

    number: no other job's. available: threads of a CPU. parts: blocks there should be.
    """

    number: int
    stack: Stack
    available: int
    parts: int

    def __call__(self, tell: Hear) -> TrainingChoice:
        """Measure."""
        with _at_work():
            return functions_here(self.stack).choose(
                self.available, self.parts, lambda text: tell(Said(self.number, Remark(text)))
            )


@dataclass(frozen=True)
class Training:
    """Train a block to its end, from its checkpoint if there is one.

    number: no other job's. whole: the block with all that its replicas take over. options: of
    Lightning; with callbacks and loggers only where the job stays in its process. checkpoint: is
    kept where its folder can be reached. logged: whether what Lightning logs is to be said.
    """

    number: int
    stack: Stack
    block: SharedBlock
    choice: TrainingChoice
    options: TrainerOptions
    checkpoint: Path
    logged: bool = False

    def __call__(self, tell: Hear) -> BlockResult:
        """Train."""
        choice, stack = self.choice, self.stack
        say: Callable[[News | Logged], None] = lambda news: tell(Said(self.number, news))  # noqa: E731
        callbacks = (*self.options.callbacks, ProgressRelay(say, self.block))
        options = replace(self.options, callbacks=callbacks)
        if self.logged:
            options = replace(options, logger=LoggerRelay(say))
        execution = Execution(choice.way, stack.facts.ways.draws, choice.executor)
        cell = self.block.shares[0].cell
        with _at_work(), threads(choice.threads), _reachable(self.checkpoint) as checkpoint:
            if (remark := _other_processor(stack)) is not None:
                say(remark)
            plain = choice.way is Way.PLAIN
            functions = None if plain else functions_here(stack).of(choice.executor)
            return train_block(cell, self.block.whole, options, execution, checkpoint, functions)


JobOfStack: TypeAlias = Measuring | Training


def _other_processor(stack: Stack) -> Remark | None:
    """What to say where this is not the kind of processor that the record names."""
    if stack.processor is None:
        return None
    own = describe_environment(stack.device, ()).device_name
    if own == stack.processor:
        return None
    text = f"some replicas are trained on {own}, where last bits may differ from {stack.processor}"
    return Remark(text, once=True)


@contextmanager
def _at_work() -> Iterator[None]:
    keep_freed_memory()
    with isolated():
        yield


@contextmanager
def _reachable(checkpoint: Path) -> Iterator[Path]:
    """The checkpoint, or one in a folder that is gone afterwards, on a machine without its own."""
    if checkpoint.parent.is_dir():
        yield checkpoint
    else:
        with TemporaryDirectory() as folder:
            yield Path(folder) / checkpoint.name
