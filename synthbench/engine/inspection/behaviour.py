"""What the network and the task of a cell do, in so far as replicas of a stack must agree in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map

from synthbench.engine.axis.attributes import attributes_of
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.way import Way
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.inspection.lesson import lesson_of
from synthbench.engine.inspection.ways import EVERYTHING, plain_steps
from synthbench.engine.training.score_totals import ScoreTotals, aggregated, score_parts
from synthbench.engine.training.scoring import replica_scores
from synthbench.hashing import content_hash, tensor_hash
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys


def behaviour(cell: Cell, example: Cell) -> str:
    """A hash, equal for cells of which one's module and task can stand for the other's.

    example: the cell whose samples and seed are taken, so that only what is done with them counts.
    A builder may put a number of the recipe into its module, where it may be out of sight (in a
    closure, in a hook), and a score may read a field that the task says changes samples alone. So
    the network is trained for a few steps and scored. A field that changes initial weights alone
    tells cells apart too, which costs time and no result.
    """
    seed = example.protocol.first_seed
    module = build_modules(cell.model, cell.interface, [seed])[0]
    attributes = attributes_of(module)
    structure = [
        str(cell.interface),
        _tensors(module),
        {path: value for path, value in attributes.items() if not isinstance(value, Tensor)},
        [path for path, value in attributes.items() if isinstance(value, Tensor)],
    ]
    plain = PlainReplicas.of(cell.model, [module], cell.interface, EVERYTHING)
    steps = plain_steps(cell, plain, lesson_of(example, [seed]))
    found: list[Any] = [
        *(value for value in attributes.values() if isinstance(value, Tensor)),
        *((step.parameters, step.losses, step.gradients, step.buffers) for step in steps),
        *_judged(cell, example, plain),
    ]
    leaves, spec = tree_flatten(found)
    numbers = tensor_hash([_plain(leaf) for leaf in leaves])
    return content_hash({"structure": repr(structure), "tree": str(spec), "numbers": numbers})


def _tensors(module: nn.Module) -> list[tuple[Any, ...]]:
    """Names, shapes and kinds of parameters and buffers; of shared ones, with whom."""
    named = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    first: dict[int, str] = {}
    return [
        (name, first.setdefault(id(t), name), tuple(t.shape), t.dtype, t.requires_grad)
        for name, t in named
    ]


@torch.no_grad()
def _judged(cell: Cell, example: Cell, plain: PlainReplicas) -> Iterator[Any]:
    """What the task makes of the outputs of the network and of known strategies, and its target."""
    task, held_out = cell.task, held_out_sets(example.task)[0]
    yield [task.target, task.target_score, task.ceiling, task.higher_is_better]
    yield [[own.name, own.is_whole, str(own.interface)] for own in held_out_sets(task)]
    keys = keys_of([example.protocol.first_seed])
    worlds = draw_worlds(example.task, keys)
    batch = cast_batch(held_out.drawn(worlds, keys, 0, example.batch_size), torch.float32)
    scores = replica_scores(cell, plain, Way.PLAIN)
    yield dict(scores(plain.parameters, plain.buffers, batch, noise_keys(keys, range(1))[0]))
    own = batch_at(batch, 0)
    for output in held_out.references(tree_map(lambda leaf: leaf[0], worlds), own).values():
        totals = ScoreTotals()
        parts = tree_map(lambda part: part.unsqueeze(0), score_parts(task.score(output, own)))
        totals.add(parts, example.batch_size)
        yield aggregated(task, totals.means())
        yield {name: loss(output, own) for name, loss in task.losses().items()}


def _plain(leaf: Any) -> Tensor:
    if not isinstance(leaf, Tensor):
        return torch.tensor(list(repr(leaf).encode()), dtype=torch.uint8)
    value = leaf.detach().cpu()
    return value.float() if value.dtype == torch.bfloat16 else value
