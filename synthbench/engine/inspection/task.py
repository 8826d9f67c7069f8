"""Whether a task's references are far enough apart, on its test sets, to measure by."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import torch
from scipy.special import stdtrit
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.data.held_out import HeldOut, held_out_sets
from synthbench.engine.data.sampling import batch_at, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.scored_set import ScoredSet, reference_parts
from synthbench.engine.training.held_out_batches import HeldOutBatches
from synthbench.engine.training.references import Columns, reference_scores
from synthbench.engine.training.score_totals import Parts
from synthbench.engine.training.scoring import ranked_column
from synthbench.errors import ConfigurationError, SynthbenchError, TaskError, explain, first_line
from synthbench.metrics.ceiling import BEST_KNOWN
from synthbench.metrics.reserved_columns import misnamed
from synthbench.metrics.score_names import base_name, scored_on, set_name
from synthbench.plan.cell import Cell
from synthbench.plan.task_facts import aggregates, fits_references
from synthbench.streams import Purpose, Stream, keys_of

DRAWS, FITS = 16, 2
"""Worlds in which references are scored, and in which they are fitted."""
NAMED = 2
"""Samples whose scores are looked at for their names alone."""
LEAST_GAP = 6.0
"""Standard errors between trivial and optimal; below, chance can pass for progress."""
FALSE_ALARM = 1e-7
"""How often a right exact score is refused: by Student's t, since the error is estimated too."""


@torch.no_grad()
def check_task(cell: Cell) -> None:
    """Draw worlds and batches, score the references, and hold them against one another.

    Raises TaskError for a task that fails, whose batches do not match its interface or whose
    references contradict its exact scores; ConfigurationError unless trivial and optimal, or
    whatever is its ceiling, differ clearly on the evaluation samples. Progress divides by their
    difference, so a label noise near one half, or too few samples, would make it meaningless.
    """
    try:
        sets = _scored_sets(cell)
        gaps = _gaps(cell, sets)
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
    _check_names(cell.task, sets)
    _check_exact(cell.task, sets)
    if not bool(gaps.isfinite().all()):
        raise TaskError(
            f'the ranked score of "{cell.task.label()}" is undefined for a reference: no example '
            "of its test set has a weight; raise evaluation_samples, or rank another score"
        )
    _check_gap(cell, gaps)
    _check_target_score(cell, sets)


@torch.no_grad()
def score_names(cell: Cell) -> list[str]:
    """What the cell's evaluations score, on every test set: `accuracy`, `accuracy@length-80`."""
    # A few samples of one world tell: all may take a task of a paper's size minutes.
    few = {"evaluation_samples": NAMED, "evaluation_batch": NAMED}
    protocol = cell.protocol.model_copy(update=few)
    keys = keys_of([cell.protocol.first_seed])
    worlds = draw_worlds(cell.task, keys)
    found: list[str] = []
    for held_out in held_out_sets(cell.task):
        for batch in islice(held_out.batches(worlds, keys, protocol), 1):
            parts = reference_parts(held_out, worlds, batch, _check_shapes), NAMED
            scores = ScoredSet(held_out, [[parts]]).scores
            found += [scored_on(name, held_out.name) for name in scores]
    return found


@torch.no_grad()
def check_loss(cell: Cell, batch: Batch) -> None:
    """Raise TaskError where the task's loss fails on made-up outputs of the right shape.

    batch: training examples of the replicas, leaves (R, B, ...). So a fault of the loss, or of
    the labels that it reads, is not blamed on the model.
    """
    own = batch_at(batch, 0)
    shape = (own.x.shape[0], *cell.task.interface.output.shape)
    output = Stream.from_seed(0, Purpose.TEST).normal(shape)
    name = cell.model.training_loss(cell.task.losses())
    try:
        value = recipe_loss(cell.task, cell.model)(output, own)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise TaskError(
            f'loss "{name}" of task "{cell.task.label()}" fails: {explain(error)}'
        ) from error
    if tuple(value.shape):
        raise TaskError(
            f'loss "{name}" of task "{cell.task.label()}" must be a scalar, got shape '
            f"{tuple(value.shape)}"
        )


def _scored_sets(cell: Cell) -> list[ScoredSet]:
    keys = keys_of([(cell.protocol.first_seed + r) % 2**64 for r in range(DRAWS)])
    worlds = draw_worlds(cell.task, keys)
    return [_scored(cell, held_out, worlds, keys) for held_out in held_out_sets(cell.task)]


def _scored(cell: Cell, held_out: HeldOut, worlds: World, keys: Tensor) -> ScoredSet:
    """References on two batches of a sampler, or on all of a finite set."""

    def parts(worlds: World, batch: Batch) -> tuple[dict[str, Parts], int]:
        size = batch.x.shape[1]
        return reference_parts(held_out, worlds, batch, _check_shapes), size

    if held_out.is_whole:
        batches = list(held_out.batches(worlds, keys, cell.protocol))
        if not batches:
            raise TaskError(f'a test set of task "{cell.task.label()}" has no rows')
        return ScoredSet(held_out, [[parts(worlds, batch) for batch in batches]])
    size = cell.protocol.evaluation_batch
    drawn = [held_out.drawn(worlds, keys, index, size) for index in range(2)]
    _check_size(held_out, drawn[0], size)
    return ScoredSet(held_out, [[parts(worlds, batch)] for batch in drawn])


def _check_names(task: Task, sets: list[ScoredSet]) -> None:
    for name in (misnamed(found.scores) for found in sets):
        if name is not None:
            raise TaskError(
                f'task "{task.label()}" calls a score {name!r}, which is kept for another column '
                "of the trajectories; choose another name"
            )


def _check_size(held_out: HeldOut, batch: Batch, size: int) -> None:
    shape = held_out.interface.input.shape
    found = tuple(batch.x.shape[1:])
    if found != (size, *shape):
        hint = "; is it whole=, or has it an interface of its own?" if held_out.name else ""
        raise TaskError(
            f"{_named(held_out)} must sample x of shape {(size, *shape)}, got {found}{hint}"
        )


def _named(held_out: HeldOut) -> str:
    where = f' in test set "{held_out.name}"' if held_out.name else ""
    return f'task "{held_out.task.label()}"{where}'


def _check_shapes(held_out: HeldOut, batch: Batch, outputs: Mapping[str, Tensor]) -> None:
    task, interface, size = held_out.task, held_out.interface, batch.x.shape[0]
    name = _named(held_out)
    if tuple(batch.x.shape) != (size, *interface.input.shape):
        raise TaskError(
            f"{name} must sample x of shape {(size, *interface.input.shape)}, "
            f"got {tuple(batch.x.shape)}"
        )
    missing = {"trivial", *([] if _has_fitted_ceiling(task) else [task.ceiling])} - set(outputs)
    if missing:
        raise TaskError(
            f"{name} has no reference called {', '.join(sorted(missing))} "
            f"(references: {', '.join(outputs)})"
        )
    for reference, output in outputs.items():
        if tuple(output.shape) != (size, *interface.output.shape):
            raise TaskError(
                f'{name}: the output of reference "{reference}" must have shape '
                f"{(size, *interface.output.shape)}, got {tuple(output.shape)}; is y of the same?"
            )


def _has_fitted_ceiling(task: Task) -> bool:
    """Whether the ceiling may be one of the references that are fitted."""
    return task.ceiling == BEST_KNOWN or (fits_references(task) and task.ceiling != "optimal")


def _gaps(cell: Cell, sets: list[ScoredSet]) -> Tensor:
    """(D, groups) ceiling minus trivial, by the ranked score."""
    if cell.task.ceiling not in sets[0].references:
        return _fitted_gaps(cell)
    scores = _ranked_scores(cell, sets)
    return scores[cell.task.ceiling] - scores["trivial"]


def _ranked_scores(cell: Cell, sets: list[ScoredSet]) -> dict[str, Tensor]:
    """Reference -> (D, groups) of the ranked score."""
    ranked = ranked_column(cell, {"trivial": _columns(sets)})
    (chosen,) = (found for found in sets if found.held_out.name == set_name(ranked))
    return chosen.of_groups(base_name(ranked))


def _check_target_score(cell: Cell, sets: list[ScoredSet]) -> None:
    """Refuse a raw target that the trivial strategy meets, or that lies beyond the optimum."""
    target, ceiling = cell.task.target_score, cell.task.ceiling
    if target is None or ceiling not in sets[0].references:
        return
    scores = _ranked_scores(cell, sets)
    trivial, best = (float(scores[name].mean()) for name in ("trivial", ceiling))
    slack = LEAST_GAP * float(scores[ceiling].std(unbiased=False)) + 1e-5
    beyond = (target - best) * (1 if best > trivial else -1)
    if (target - trivial) * (best - trivial) <= 0 or (ceiling == "optimal" and beyond > slack):
        raise ConfigurationError(
            f'target_score = {target:g} of "{cell.task.label()}" is not between trivial '
            f"({trivial:.4g}) and {ceiling} ({best:.4g})"
        )


def _columns(sets: list[ScoredSet]) -> Columns:
    """What the trivial strategy scores, by the names that trajectories have."""
    return {
        scored_on(name, found.held_out.name): found.of_groups(name)["trivial"][:, 0].cpu().numpy()
        for found in sets
        for name in found.scores
    }


def _fitted_gaps(cell: Cell) -> Tensor:
    """(FITS, 1) the same where the ceiling takes references that are fitted."""
    keys = keys_of([(cell.protocol.first_seed + r) % 2**64 for r in range(FITS)])
    worlds = draw_worlds(cell.task, keys)
    training = training_data(cell, worlds, keys).samples_at(0)
    sets = [
        HeldOutBatches(each, cell.protocol, worlds, keys, torch.float32)
        for each in held_out_sets(cell.task)
    ]
    scores = reference_scores(sets, worlds, training)
    ranked = ranked_column(cell, scores)
    return torch.from_numpy(scores[cell.task.ceiling][ranked] - scores["trivial"][ranked])[:, None]


def _check_exact(task: Task, sets: list[ScoredSet]) -> None:
    by_name = {found.held_out.name: found for found in sets}
    for key, exact in task.exact_scores().items():
        name, found = base_name(key), by_name.get(set_name(key))
        if found is None or name not in found.references:
            raise TaskError(f'task "{task.name}" has an exact score of no reference "{key}"')
        first = found.scores[0]
        scores = found.of_groups(first)[name].double()
        # The worst of some groups is lower, the fewer examples it is the worst on.
        mean = found.of_all(name, first) if aggregates(task) else float(scores.mean())
        error = float(scores.mean(1).std()) / len(scores) ** 0.5
        errors = float(stdtrit(len(scores) - 1, 1 - FALSE_ALARM / 2))
        if not abs(mean - exact) <= errors * error + 1e-5:
            raise TaskError(
                f'task "{task.label()}": reference "{key}" scores {mean:.4g} on samples, '
                f"exact_scores says {exact:.4g}"
            )


def _check_gap(cell: Cell, gaps: Tensor) -> None:
    """gaps: (D, groups), ceiling minus trivial on two batches of each world, or on a whole set.

    The error is that of the samples: that one world has more to learn than another is no error.
    """
    protocol, task = cell.protocol, cell.task
    batches = max(protocol.evaluation_samples // protocol.evaluation_batch, 1)
    variance = float((gaps[:, 0] - gaps[:, -1]).square().mean()) / 2
    error = (variance / batches) ** 0.5
    distance = abs(float(gaps.mean()))
    if distance == 0 or distance < LEAST_GAP * error:
        top = "the optimum" if task.ceiling == "optimal" else f"its ceiling ({task.ceiling})"
        needed = protocol.evaluation_samples * (LEAST_GAP * error / max(distance, 1e-12)) ** 2
        wanted = -(-int(needed) // protocol.evaluation_batch + 1) * protocol.evaluation_batch
        advice = (
            f"raise evaluation_samples to about {wanted:,}"
            if 0 < distance and needed < 1e9
            else "they score the same"
        )
        raise ConfigurationError(
            f'on {protocol.evaluation_samples} samples of "{task.label()}" {top} is '
            f"only {distance / max(error, 1e-12):.1f} standard errors from the trivial "
            f"predictor, {LEAST_GAP:g} are needed; {advice}"
        )
