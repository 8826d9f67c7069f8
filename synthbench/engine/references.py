"""Whether a task's references are far enough apart, on the evaluation set, to measure by."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.cell import Cell
from synthbench.engine.axis import over_replicas
from synthbench.engine.sampling import as_batch, draw_worlds
from synthbench.errors import ConfigurationError
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.task import World

DRAWS = 16
LEAST_GAP = 6.0
"""Standard errors between trivial and optimal; below, chance can pass for progress."""


@torch.no_grad()
def check_references(cell: Cell) -> None:
    """Raise ConfigurationError unless trivial and optimal differ clearly on the samples.

    Progress divides by their difference, so a label noise near one half, or too few
    evaluation samples, would make it meaningless.
    """
    protocol = cell.protocol

    def gap(key: Tensor, world: World) -> Tensor:
        rng = Stream(key, Purpose.EVAL)
        batch = as_batch(cell.task.sample(world, rng, protocol.evaluation_batch))
        outputs = cell.task.references(world, batch)
        missing = {"trivial", "optimal"} - set(outputs)
        if missing:
            raise ConfigurationError(
                f'task "{cell.task.name}" has no reference called {", ".join(sorted(missing))}'
            )
        scores = [cell.task.score(outputs[name], batch) for name in ("trivial", "optimal")]
        trivial, optimal = (next(iter(score.values())) for score in scores)
        return optimal - trivial

    keys = keys_of([(protocol.first_seed + r) % 2**64 for r in range(DRAWS)])
    gaps = over_replicas(gap)(keys, draw_worlds(cell.task, keys)).double()
    batches = protocol.evaluation_samples // protocol.evaluation_batch
    error = float(gaps.std()) / batches**0.5
    distance = abs(float(gaps.mean()))
    if distance < LEAST_GAP * error or distance == 0:
        raise ConfigurationError(
            f'on {protocol.evaluation_samples} samples of "{cell.task.label()}" the optimum is '
            f"only {distance / max(error, 1e-12):.1f} standard errors from the trivial "
            f"predictor, {LEAST_GAP:g} are needed; raise evaluation_samples"
        )
