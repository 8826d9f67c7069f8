"""The loss along the straight line between two trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthbench.contracts.batch import Batch
from synthbench.contracts.scores import score_of_batch
from synthbench.errors import ConfigurationError, ModelError
from synthbench.isolation import isolated
from synthbench.results.alignment import SUPPORTED, linear_chain, match_units, permuted
from synthbench.results.held_out import held_out_batch
from synthbench.results.networks import plan_of_network
from synthbench.results.results import CellResult

if TYPE_CHECKING:
    from torch import Tensor, nn

    from synthbench.contracts.task import Task

TOLERANCE = 1e-3
"""How much a permutation may change outputs, relative to the largest: float32 rounds sums."""


@dataclass(frozen=True)
class Barrier:
    """Held-out loss and ranked score along the line from one network to another.

    shares: of the second network, from 0 to 1. losses, scores: at each of them.
    """

    shares: tuple[float, ...]
    losses: tuple[float, ...]
    scores: tuple[float, ...]
    score: str
    """Name of the ranked score."""

    @property
    def height(self) -> float:
        """The largest excess of the loss above the chord between its ends, in its own units.

        Frankle et al. 2020 ("Linear Mode Connectivity"), Ainsworth et al. 2023. Never below 0.
        """
        first, last = self.losses[0], self.losses[-1]
        chord = [(1 - share) * first + share * last for share in self.shares]
        return max(0.0, *(loss - line for loss, line in zip(self.losses, chord, strict=True)))


@isolated()
def barrier(
    first: CellResult,
    second: CellResult,
    replicas: tuple[int, int],
    *,
    aligned: bool = False,
    points: int = 11,
    step: int | None = None,
) -> Barrier:
    """Loss and ranked score along the line between the weights of two replicas.

    replicas: one of first, one of second. Both are held against the held-out samples of first's.
    aligned: permute the hidden units of second's to match first's, which does not change what it
    computes. points: along the line, both ends among them. step: weights at the last evaluation
    at or before it; default the last ones. Parameters and floating-point buffers are averaged,
    the others are first's. Raises RecordError for weights that were not kept, ModelError for
    networks that differ or cannot be aligned.
    """
    from synthbench.engine.axis.objective import recipe_loss

    if points < 2:
        raise ConfigurationError(f"points must be 2 or more, got {points}")
    task, model = plan_of_network(first.record, first.cell)
    network, other = first.network(replicas[0], step), second.network(replicas[1], step)
    batch = held_out_batch(task, first.record, replicas[0])
    here, there = _state(network), _state(other)
    _check_same(here, there)
    if aligned:
        there = _aligned(network, other, batch)
    losses, scores, score = [], [], ""
    shares = tuple(index / (points - 1) for index in range(points))
    loss = recipe_loss(task, model)
    for share in shares:
        output = _output(network, _between(here, there, share), batch)
        losses.append(float(loss(output, batch)))
        score, value = ranked_score(task, output, batch, first.record.protocol.get("score"))
        scores.append(value)
    return Barrier(shares, tuple(losses), tuple(scores), score)


def ranked_score(
    task: Task, output: Tensor, batch: Batch, named: str | None = None
) -> tuple[str, float]:
    """Name and value of the ranked score of a whole test set, given as one batch.

    named: the protocol's, such as accuracy@length-80; by default the task's first.
    """
    means = {name: score_of_batch(score) for name, score in task.score(output, batch).items()}
    scores = task.aggregate(means)
    name = named.partition("@")[0] if named else next(iter(scores))
    return name, float(scores[name])


def _state(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}


def _check_same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> None:
    for name in [*first, *second]:
        shapes = [tuple(state[name].shape) if name in state else None for state in (first, second)]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"there is no line between these networks: {name} has shape {shapes[0]} in the "
                f"first and {shapes[1]} in the second; take two results of one model"
            )


def _between(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Any]:
    """The point of the line; its ends are the networks themselves, to the bit."""
    return {
        name: tensor if not tensor.is_floating_point() else _mixed(tensor, second[name], share)
        for name, tensor in first.items()
    }


def _mixed(first: Tensor, second: Tensor, share: float) -> Tensor:
    return first if share == 0 else second if share == 1 else first.lerp(second, share)


def _output(network: nn.Module, state: dict[str, Tensor], batch: Batch) -> Tensor:
    import torch
    from torch.func import functional_call

    with torch.no_grad():
        output: Tensor = functional_call(network, state, (batch.x,))
    return output


def _aligned(first: nn.Module, second: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The weights of second with its hidden units in the order of first's."""
    layers = linear_chain(first)
    here, there = _state(first), _state(second)
    _check_permutable(second, there, layers, batch)
    return permuted(there, layers, match_units(here, there, layers))


def _check_permutable(
    network: nn.Module, state: dict[str, Tensor], layers: list[Any], batch: Batch
) -> None:
    """Raise ModelError unless units may be reordered: what lies between layers is out of sight."""
    import torch

    generator = torch.Generator().manual_seed(0)
    sizes = [state[layer.weight].shape[0] for layer in layers[:-1]]
    orders = [torch.randperm(size, generator=generator) for size in sizes]
    before = _output(network, state, batch)
    after = _output(network, permuted(state, layers, orders), batch)
    scale = float(before.abs().max())
    if not torch.allclose(before, after, rtol=0, atol=TOLERANCE * max(scale, 1e-30)):
        raise ModelError(
            f"the network changes when its hidden units are put in another order; {SUPPORTED}"
        )
