"""Hidden progress: the causal graph in attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_causal_structure.task import CausalStructure

if TYPE_CHECKING:
    from torch import Tensor


class Adjacency(Probe):
    """How much of each layer's attention follows the causal graph, in the head that does most.

    parent: attention from each place to its parent, the mean over places that have one: in the
    first layer, the adjacency matrix of Nichani et al. 2024 (section 4). answers: attention from
    the last place to the children of earlier occurrences of its symbol, over sequences that have
    some: what the second layer then looks for.
    """

    name: ClassVar[str] = "adjacency"
    paper: ClassVar[str] = "Nichani et al. 2024, arXiv:2402.14735"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`layer<l>-parent` and `layer<l>-answers` for every attention map."""
        from synthbench_causal_structure.attention import to_answers, to_parents

        if not isinstance(view.task, CausalStructure):
            raise ValueError(f"it reads causal-structure, not {view.task.name}")
        x, parents = view.batch.x, view.world
        maps = view.record(view.parameters, x).attention
        if not maps:
            raise ValueError("the network has no attention over its tokens")
        found = {}
        for layer, weights in enumerate(maps, start=1):
            heads = weights.reshape(x.shape[0], -1, x.shape[1], x.shape[1])
            found[f"layer{layer}-parent"] = to_parents(heads, parents)
            found[f"layer{layer}-answers"] = to_answers(heads, parents, x)
        return found
