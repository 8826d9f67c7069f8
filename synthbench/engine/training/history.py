"""What R replicas have measured so far, whichever of them still train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthbench.engine.axis.state import State
from synthbench.engine.training.outcomes import Outcomes
from synthbench.engine.training.scoring import Measurement
from synthbench.engine.training.snapshots import Snapshots, named_snapshots, snapshot
from synthbench.engine.training.training_state import Continuation
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps


class History:
    """Measurements of all replicas, who has stopped, and the weights of those that have.

    A stack may hold some of the replicas alone: rows[i] is the replica in its place i. One that
    has stopped keeps the scores at which it did.
    """

    def __init__(self, cell: Cell, replicas: int, kept_steps: Sequence[int] = ()) -> None:
        """kept_steps: evaluations whose weights are kept, beside the last."""
        self.points = evaluation_steps(cell.steps, cell.protocol.resolution)
        self.outcomes = Outcomes(replicas, cell.protocol.hold, cell.protocol.until == "solved")
        self.measurements: list[Measurement] = []
        self.final: State = {}
        self._kept_steps, self._snapshots = tuple(kept_steps), Snapshots()

    @property
    def snapshots(self) -> State:
        """`STEP/NAME` -> weights (R, ...) at the evaluations that are kept."""
        return named_snapshots(self._snapshots, self._kept_steps, self.final)

    def begin(self, tensors: State) -> None:
        """tensors: parameters and buffers (R, ...); a replica that diverges keeps NaN."""
        if not self.final:
            self.final = {
                name: torch.full_like(tensor.detach(), _undefined(tensor), device="cpu")
                for name, tensor in tensors.items()
            }

    def record(self, measured: Measurement, rows: Sequence[int], tensors: State) -> None:
        """Take in one evaluation of the replicas in the stack, and keep weights that are wanted.

        measured, tensors: of the stack, in the order of rows.
        """
        index = len(self.measurements)
        stopping = self._append(self._spread(measured, rows))
        self._keep_weights(stopping, rows, tensors)
        if self.points[index] in self._kept_steps:
            running = [i for i, r in enumerate(rows) if self.outcomes.running[r]]
            now = _rows(tensors, running)
            self._snapshots[self.points[index]] = snapshot(now, self.final, self.outcomes.running)

    def state(self) -> dict[str, Any]:
        """Everything, for a checkpoint."""
        names = self.measurements[0].columns
        return {
            "columns": {
                n: torch.tensor(np.stack([m.columns[n] for m in self.measurements])) for n in names
            },
            "finite": torch.tensor(np.stack([m.finite for m in self.measurements])),
            "met": torch.tensor(np.stack([m.met for m in self.measurements])),
            "final": self.final,
            "snapshots": self._snapshots,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Take the measurements back and replay the outcomes they led to."""
        columns = {name: values.numpy() for name, values in saved["columns"].items()}
        for index in range(len(next(iter(columns.values())))):
            found = {name: values[index] for name, values in columns.items()}
            self._append(Measurement(found, *(saved[n][index].numpy() for n in ("finite", "met"))))
        self.final, self._snapshots = saved["final"], saved["snapshots"]

    def take_over(self, begun: Continuation) -> None:
        """What replicas had measured when a smaller budget ended."""
        finite = np.ones(self.outcomes.replicas, bool)
        for index, met in enumerate(begun.met):
            found = {name: values[index] for name, values in begun.columns.items()}
            self._append(Measurement(found, finite, met))

    def _append(self, measured: Measurement) -> NDArray[np.bool_]:
        """Returns which replicas stop at this evaluation."""
        index = len(self.measurements)
        self.measurements.append(measured)
        stopping = self.outcomes.update(index, measured.met, measured.finite)
        if self.points[index] == self.points[-1]:
            stopping |= self.outcomes.finish(index)
        return stopping

    def _spread(self, measured: Measurement, rows: Sequence[int]) -> Measurement:
        """The measurement of all replicas, in which those that have stopped are as they were."""
        if not self.measurements:
            return measured
        last, running = self.measurements[-1], self.outcomes.running
        places = [place for place, r in enumerate(rows) if running[r]]
        replicas = [rows[place] for place in places]
        columns = {name: values.copy() for name, values in last.columns.items()}
        finite, met = last.finite.copy(), last.met.copy()
        for name, values in measured.columns.items():
            columns[name][replicas] = values[places]
        finite[replicas], met[replicas] = measured.finite[places], measured.met[places]
        return replace(measured, columns=columns, finite=finite, met=met)

    def _keep_weights(
        self, stopping: NDArray[np.bool_], rows: Sequence[int], tensors: State
    ) -> None:
        """Copy the weights of replicas that stop now; later steps no longer count."""
        places = [i for i, r in enumerate(rows) if stopping[r]]
        if places:
            replicas = torch.tensor([rows[i] for i in places])
            for name, values in _rows(tensors, places).items():
                self.final[name][replicas] = values


def _rows(tensors: State, places: Sequence[int]) -> State:
    """Copies of some rows, on CPU."""
    chosen = list(places)
    return {name: tensor.detach()[chosen].cpu() for name, tensor in tensors.items()}


def _undefined(tensor: Tensor) -> float:
    return torch.nan if tensor.is_floating_point() else 0
