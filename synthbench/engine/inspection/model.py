"""Whether two replicas of a model can be trained, stacked, differentiated and measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import Interface
from synthbench.engine.axis.gradients import replica_gradients
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.training.scoring import Evaluator
from synthbench.errors import ModelError, SynthbenchError, explain, first_line
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of


def check_trainable(cell: Cell, objective: Objective, batch: Batch) -> str | None:
    """Try the forward and backward pass; say why it must be looped, or None if it need not.

    batch: leaves (R, B, ...). Raises ModelError when the module works neither vmapped nor
    looped, returns the wrong shape, draws random numbers in its forward pass, or gives
    different results for the same parameters and input.
    """
    name = f'model "{cell.model.label()}"'
    generator = torch.random.get_rng_state()
    reason, losses = _try_vmapped_then_looped(name, objective, batch)
    if not torch.equal(generator, torch.random.get_rng_state()):
        torch.random.set_rng_state(generator)
        raise _random_forward(name)
    again = _attempt(objective, batch, looped=reason is not None)
    if not torch.allclose(losses, again, rtol=0, atol=0, equal_nan=True):
        raise ModelError(
            f"{name} gives two results for the same parameters and input; keep state in "
            "buffers, not in attributes"
        )
    _check_output_shape(cell, objective, batch)
    return reason


@torch.no_grad()
def check_stack(
    cell: Cell, objective: Objective, modules: list[nn.Module], batch: Batch, looped: bool
) -> None:
    """Compare the stack with the modules it was made of, which were initialized differently.

    What a module keeps outside its parameters and buffers, or assigns to a buffer instead of
    writing into it, is lost when modules are stacked. Raises ModelError where they differ.
    """
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    losses = over_replicas(objective, looped)(objective.replicas.parameters, buffers, batch)
    for r, module in enumerate(modules):
        own = batch_at(batch, r)
        pairs = [(objective.loss(module.train()(own.x), own), losses[r])]
        pairs += [(t, buffers[name][r]) for name, t in module.named_buffers() if name in buffers]
        if not all(
            torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-5, equal_nan=True)
            for a, b in pairs
        ):
            raise ModelError(
                f'model "{cell.model.label()}" changes when its replicas are stacked; keep '
                "tensors in parameters or buffers, and write into buffers (copy_, add_)"
            )


def check_gradients(cell: Cell, objective: Objective, batch: Batch, looped: bool) -> None:
    """Run the very step that training will run, once; ModelError says what it raised."""
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    try:
        replica_gradients(objective, looped)(objective.replicas.parameters, buffers, batch)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f'model "{cell.model.label()}" cannot be differentiated: {explain(error)}'
        ) from error


@torch.no_grad()
def check_measured(cell: Cell, objective: Objective, seeds: list[int], looped: bool) -> None:
    """Score two replicas and run each probe on them once; ModelError says which failed."""
    small = cell.protocol.model_copy(update={"evaluation_samples": cell.protocol.evaluation_batch})
    keys = keys_of(seeds)
    worlds = draw_worlds(cell.task, keys)
    training = training_data(cell, worlds, keys).samples_at(0)
    evaluator = Evaluator(replace(cell, protocol=small), objective.replicas, looped)
    parameters = objective.replicas.parameters
    buffers = {n: t.clone() for n, t in objective.replicas.buffers.items()}
    with _evaluating(f'model "{cell.model.label()}"'):
        evaluator.prepare(worlds, keys, keys, torch.float32, training)
        evaluator.measure_scores(parameters, buffers)
    for probe in cell.probes:
        with _evaluating(f'probe "{probe.name}"'):
            evaluator.measure_probe(probe, parameters, buffers)


@contextmanager
def _evaluating(what: str) -> Iterator[None]:
    """Say in a ModelError what it was that failed; messages of our own stay as they are."""
    try:
        yield
    except SynthbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(f"{what} cannot be evaluated: {explain(error)}") from error


def _try_vmapped_then_looped(
    name: str, objective: Objective, batch: Batch
) -> tuple[str | None, Tensor]:
    try:
        return None, _attempt(objective, batch, looped=False)
    except ModelError:
        raise
    except Exception as vmap_error:
        reason = first_line(vmap_error)
    if "randomness" in reason:
        raise _random_forward(name)
    try:
        return reason, _attempt(objective, batch, looped=True)
    except Exception as error:
        raise ModelError(f"{name} cannot be trained: {explain(error)}") from error


def _random_forward(name: str) -> ModelError:
    return ModelError(
        f"{name} draws random numbers in its forward pass, so a replica would depend on "
        "its neighbours; use synthbench.Dropout, or make the forward pass deterministic"
    )


def _attempt(objective: Objective, batch: Batch, looped: bool) -> Tensor:
    """Losses (R,) of a forward and backward pass on copies of the parameters and buffers."""
    parameters = {
        name: tensor.detach().clone().requires_grad_()
        for name, tensor in objective.replicas.parameters.items()
    }
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    losses = over_replicas(objective, looped)(parameters, buffers, batch)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    return losses.detach()


def _check_output_shape(cell: Cell, objective: Objective, batch: Batch) -> None:
    first = {name: tensor[0] for name, tensor in objective.replicas.parameters.items()}
    buffers = {name: tensor[0].clone() for name, tensor in objective.replicas.buffers.items()}
    for interface, x in _inputs(cell, batch):
        with torch.no_grad():
            output = objective.replicas.forward(first, buffers, x)
        expected = (x.shape[0], *interface.output.shape)
        if tuple(output.shape) != expected:
            raise ModelError(
                f'model "{cell.model.label()}" must return shape {expected} for '
                f"{interface.describe()}, got {tuple(output.shape)}"
            )


def _inputs(cell: Cell, batch: Batch) -> Iterator[tuple[Interface, Tensor]]:
    """Inputs of one replica for every interface: of training, and of other test sets."""
    yield cell.task.interface, batch.x[0]
    keys = keys_of([cell.protocol.first_seed])
    worlds = draw_worlds(cell.task, keys)
    for held_out in held_out_sets(cell.task):
        if held_out.interface != cell.task.interface:
            found = cast_batch(next(held_out.batches(worlds, keys, cell.protocol)), torch.float32)
            yield held_out.interface, found.x[0]
