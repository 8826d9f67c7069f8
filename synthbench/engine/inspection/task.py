"""Whether a task's references are far enough apart, on the evaluation set, to measure by."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.sampling import as_batch, draw_worlds
from synthbench.errors import ConfigurationError, SynthbenchError, TaskError, explain, first_line
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose, Stream, keys_of

DRAWS = 16
LEAST_GAP = 6.0
"""Standard errors between trivial and optimal; below, chance can pass for progress."""


def check_task(cell: Cell) -> None:
    """Draw worlds and batches, score the references, and hold them against one another.

    Raises TaskError for a task that fails, whose batches do not match its interface or whose
    references contradict its exact scores; ConfigurationError unless trivial and optimal
    differ clearly on the evaluation samples. Progress divides by their difference, so a label
    noise near one half, or too few samples, would make it meaningless.
    """
    try:
        scores = _reference_scores(cell)
    except SynthbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        hint = "; draw from rng, not from torch" if "random" in first_line(error) else ""
        raise TaskError(
            f'task "{cell.task.label()}" fails in world, sample, references or score: '
            f"{explain(error)}{hint}"
        ) from error
    _check_exact(cell, scores)
    _check_gap(cell, scores["optimal"] - scores["trivial"])


@torch.no_grad()
def _reference_scores(cell: Cell) -> dict[str, Tensor]:
    """Ranked score of every reference, (DRAWS, 2) float64, on two evaluation batches each."""
    task, size = cell.task, cell.protocol.evaluation_batch

    def score(key: Tensor, world: World, step: int) -> dict[str, Tensor]:
        batch = as_batch(task.sample(world, Stream(key, Purpose.EVAL, step), size))
        outputs = task.references(world, batch)
        _check_shapes(cell, batch, outputs)
        return {n: next(iter(task.score(out, batch).values())) for n, out in outputs.items()}

    keys = keys_of([(cell.protocol.first_seed + r) % 2**64 for r in range(DRAWS)])
    worlds = draw_worlds(task, keys)
    first, second = (
        over_replicas(lambda key, world: score(key, world, step))(keys, worlds)  # noqa: B023
        for step in range(2)
    )
    return {name: torch.stack([first[name], second[name]], 1).double() for name in first}


def _check_shapes(cell: Cell, batch: Batch, outputs: Mapping[str, Tensor]) -> None:
    interface, size = cell.task.interface, cell.protocol.evaluation_batch
    name = f'task "{cell.task.label()}"'
    if tuple(batch.x.shape) != (size, *interface.input.shape):
        raise TaskError(
            f"{name} must sample x of shape {(size, *interface.input.shape)}, "
            f"got {tuple(batch.x.shape)}"
        )
    missing = {"trivial", "optimal"} - set(outputs)
    if missing:
        raise TaskError(f"{name} has no reference called {', '.join(sorted(missing))}")
    for reference, output in outputs.items():
        if tuple(output.shape) != (size, *interface.output.shape):
            raise TaskError(
                f'{name}: the output of reference "{reference}" must have shape '
                f"{(size, *interface.output.shape)}, got {tuple(output.shape)}; is y of the same?"
            )


def _check_exact(cell: Cell, scores: Mapping[str, Tensor]) -> None:
    for name, exact in cell.task.exact_scores().items():
        if name not in scores:
            raise TaskError(f'task "{cell.task.name}" has an exact score of no reference "{name}"')
        found = float(scores[name].mean())
        error = float(scores[name].mean(1).std()) / DRAWS**0.5
        if abs(found - exact) > LEAST_GAP * error + 1e-5:
            raise TaskError(
                f'task "{cell.task.label()}": reference "{name}" scores {found:.4g} on samples, '
                f"exact_scores says {exact:.4g}"
            )


def _check_gap(cell: Cell, gaps: Tensor) -> None:
    """gaps: (DRAWS, 2), optimal minus trivial on two batches of each world.

    The error is that of the samples: that one world has more to learn than another is no error.
    """
    protocol = cell.protocol
    batches = protocol.evaluation_samples // protocol.evaluation_batch
    variance = float((gaps[:, 0] - gaps[:, 1]).square().mean()) / 2
    error = (variance / batches) ** 0.5
    distance = abs(float(gaps.mean()))
    if distance < LEAST_GAP * error or distance == 0:
        raise ConfigurationError(
            f'on {protocol.evaluation_samples} samples of "{cell.task.label()}" the optimum is '
            f"only {distance / max(error, 1e-12):.1f} standard errors from the trivial "
            f"predictor, {LEAST_GAP:g} are needed; raise evaluation_samples"
        )
