"""Whether attention looks at what is pointed at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_pointers.lego import Lego
from synthbench_pointers.pointer_value import PointerValue

if TYPE_CHECKING:
    from torch import Tensor


class PointerAttention(Probe):
    """Share of each layer's attention on what is pointed at, in the head where it is largest.

    lego: from the place of each variable but the chain's first to the clause, three symbols, of
    the variable that it takes up; n clauses that are looked at alike get 1/n. The association
    heads of Zhang et al. 2022, section 5. pointer-value-retrieval: from the last place, where the
    answer is read, to the window that is pointed at.
    """

    name: ClassVar[str] = "pointer-attention"
    paper: ClassVar[str] = "Zhang et al. 2022, arXiv:2206.04301"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`layer<l>` for every attention map."""
        from synthbench_pointers.targets import of_chains, of_windows, share_in_best_head

        task, x = view.task, view.batch.x
        if not isinstance(task, Lego | PointerValue):
            raise ValueError(f"it reads lego and pointer-value-retrieval, not {task.name}")
        maps = view.record(view.parameters, x).attention
        if not maps:
            raise ValueError("the network has no attention over its tokens")
        targets = of_chains(x) if isinstance(task, Lego) else of_windows(x, task.window)
        queries = slice(None, None, 3) if isinstance(task, Lego) else slice(-1, None)
        return {
            f"layer{layer}": share_in_best_head(weights, queries, targets)
            for layer, weights in enumerate(maps, start=1)
        }
