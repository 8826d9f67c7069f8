"""How to run, as opposed to what is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from synthbench.contracts.launcher import Launcher
from synthbench.engine.training.block_training import TrainerOptions
from synthbench.errors import ConfigurationError, did_you_mean
from synthbench.evaluation.kept_weights import KeepWeights
from synthbench.listeners.listener import Listener
from synthbench.listeners.tracker import Tracker

Compile = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: nothing here changes what is measured.

    resume: reuse finished cells and continue half-finished ones. replicas_per_block: None
    measures the fastest. keep_weights: store each replica's weights at its last evaluation (True
    or "last"), at all of them ("all"), or at the last one at or before each of some steps too.
    keep_state: store where replicas stand whose budget ends before they have solved the task, from
    which a larger budget goes on; where weights are kept, it is too.
    trackers: where finished cells, and the training as it goes, are sent; objects or references.
    compile: whether recorded steps are compiled: "auto" where what is left of a cell pays for it,
    "always" or "never"; the record names what was done, and last bits depend on it.
    workers: processes of one thread that train blocks of all cells: 0 trains in this one, None
    takes as many as there are cores where the work is worth their start. launcher: whose workers
    train instead, an object or a reference such as "ray address=auto". The numbers are the same.
    pictures: whether every finished cell, and all of them together, are drawn into their folders.
    listener: who hears of it; None draws bars in a terminal or a notebook, and writes a line now
    and then to the stderr of others.
    """

    trainer: TrainerOptions = TrainerOptions()
    resume: bool = True
    replicas_per_block: int | None = None
    keep_weights: KeepWeights = False
    listener: Listener | None = None
    trackers: tuple[Tracker | str, ...] = ()
    compile: Compile = "auto"
    workers: int | None = None
    launcher: Launcher | str | None = None
    pictures: bool = True
    keep_state: bool = False

    def __post_init__(self) -> None:
        read_compile(self.compile)


def read_compile(text: str) -> Compile:
    """The word that it is; ConfigurationError for another."""
    for word in get_args(Compile):
        if text == word:
            return cast("Compile", word)
    guess, allowed = did_you_mean(text, get_args(Compile)), ", ".join(get_args(Compile))
    raise ConfigurationError(f'compile cannot be "{text}"{guess} (allowed: {allowed})')
