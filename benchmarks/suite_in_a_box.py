"""Seconds to the result of a suite's cell, from as much of it as fits into a box of time."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.evaluation.planning import plan_suite
from synthbench.listeners.listener import Silent
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed


class NotesAlone(Silent):
    """Prints what a person should know, and no progress."""

    def note(self, message: str) -> None:
        print(message, flush=True)


class TimeIsUp(Exception):
    """The box is full."""


class Watch(pl.Callback):
    """Notes when which step was evaluated, and ends the training when the time is up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds
        self.seen: list[tuple[float, int]] = []
        self.solved = self.running = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._note(pl_module)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any) -> None:
        # Launching runs ahead of the device, which an evaluation waits for.
        if time.perf_counter() > self._end:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self._note(pl_module)
            raise TimeIsUp

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._note(pl_module)
        if time.perf_counter() > self._end and pl_module.running.any():
            raise TimeIsUp

    def _note(self, module: Any) -> None:
        self.seen.append((time.perf_counter(), module.finished_steps))
        self.solved = int(module.outcomes.solved.sum())
        self.running = int(module.running.sum())


def seconds_to_result(suite: str, number: int, box: float, device: torch.device) -> dict[str, Any]:
    """Of one cell, all its seeds in one block.

    finished: whether the result is there; else `seconds` is what it takes to the end of the budget
    at the speed of the second half of what was seen, an upper bound where replicas solve earlier.
    """
    found = installed().suite(suite)
    (cell,) = plan_suite(found, found.models[:1], numbers=(number,))
    began, watch = time.perf_counter(), Watch(box)
    options = sb.TrainerOptions("gpu" if device.type == "cuda" else "cpu", callbacks=(watch,))
    settings = sb.Settings(options, replicas_per_block=cell.protocol.seeds, listener=NotesAlone())
    with tempfile.TemporaryDirectory() as folder:
        try:
            record = sb.evaluate_cells([cell], Path(folder), settings)[0].record
        except TimeIsUp:
            return _extrapolated(cell, watch, began)
    seconds = time.perf_counter() - began
    solved = sum(replica.outcome == "solved" for replica in record.replicas)
    said = f"finished in {seconds:.1f} s, {solved} of {cell.protocol.seeds} solved"
    return {"seconds": seconds, "finished": True, "solved": solved, "said": said}


def _extrapolated(cell: Cell, watch: Watch, began: float) -> dict[str, Any]:
    """The rest of the budget at the latest speed, evaluations among its steps."""
    now, done = watch.seen[-1]
    half = next(((t, s) for t, s in watch.seen if s >= done / 2), watch.seen[0])
    if done == half[1]:
        half = watch.seen[0]
    speed = (now - half[0]) / max(done - half[1], 1)
    seconds = (now - began) + (cell.steps - done) * speed
    said = (
        f"cut at step {done:,} of {cell.steps:,} after {now - began:.1f} s, {watch.solved} of "
        f"{cell.protocol.seeds} solved; {speed * 1e6:,.0f} us a step, at most {seconds:,.0f} s"
    )
    return {
        "seconds": seconds,
        "finished": False,
        "solved": watch.solved,
        "running": watch.running,
        "steps": done,
        "of": cell.steps,
        "step_seconds": speed,
        "box": now - began,
        "said": said,
    }
