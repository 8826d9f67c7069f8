"""Whether cells whose plans differ in numbers alone build the same networks and score alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map, tree_structure

from synthbench.contracts.task import Task
from synthbench.engine.axis.attributes import attributes_of, changed
from synthbench.engine.axis.building import build_modules
from synthbench.engine.data.sampling import batch_at, draw_batch, draw_worlds
from synthbench.engine.training.score_totals import score_parts
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose, keys_of


def same_networks(cells: Sequence[Cell]) -> bool:
    """Whether one module and one task can stand for those of all the cells.

    A builder may put a number of the recipe into its module, and a score may read a field of the
    task that it says changes samples alone.
    """
    models = {id(cell.model): cell for cell in cells}.values()
    seed = cells[0].protocol.first_seed
    modules = [build_modules(cell.model, cell.interface, [seed])[0] for cell in models]
    first = attributes_of(modules[0])
    if any(changed(first, attributes_of(module)) for module in modules[1:]):
        return False
    tasks = list({id(cell.task): cell.task for cell in cells}.values())
    return len(tasks) == 1 or _same_scores(tasks, cells[0])


@torch.no_grad()
def _same_scores(tasks: Sequence[Task], cell: Cell) -> bool:
    keys = keys_of([cell.protocol.first_seed])
    worlds = draw_worlds(tasks[0], keys)
    drawn = draw_batch(tasks[0], worlds, keys, Purpose.EVAL, 0, cell.protocol.evaluation_batch)
    world, batch = tree_map(lambda leaf: leaf[0], worlds), batch_at(drawn, 0)
    output = tasks[0].references(world, batch)["trivial"]

    def measured(task: Task) -> dict[str, Any]:
        losses = {name: loss(output, batch) for name, loss in task.losses().items()}
        return {"losses": losses, "scores": score_parts(task.score(output, batch))}

    first, *others = [measured(task) for task in tasks]
    return all(
        tree_structure(first) == tree_structure(other)
        and all(map(torch.equal, tree_leaves(first), tree_leaves(other)))
        for other in others
    )
