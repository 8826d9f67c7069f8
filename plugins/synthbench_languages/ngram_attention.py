"""Hidden progress: n-gram heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, Tokens, View

if TYPE_CHECKING:
    from torch import Tensor


class NGramAttention(Probe):
    """Share of attention on what followed earlier occurrences of the last one or two symbols.

    The n-gram heads of Akyurek et al. 2024, section 5: bigram heads look at symbols that came
    after the current one, trigram heads at those that came after the current one and the one
    before it. Averaged over the positions in the second half with something to look at, in the
    head where it is largest. For every task with tokens in its input.
    """

    name: ClassVar[str] = "ngram-attention"
    paper: ClassVar[str] = "Akyurek et al. 2024, arXiv:2401.12973"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`layer<l>-bigram` and `layer<l>-trigram` for every attention map."""
        from synthbench_languages.n_grams import matches, share_in_best_head

        tokens = view.task.interface.input
        if not isinstance(tokens, Tokens):
            raise ValueError(
                f"it reads sequences of tokens; {view.task.name} has {tokens.describe()}"
            )
        x = view.batch.x
        maps = view.record(view.parameters, x).attention
        if not maps:
            raise ValueError("the network has no attention over its tokens")
        targets = {"bigram": matches(x, 1), "trigram": matches(x, 2)}
        return {
            f"layer{layer}-{kind}": share_in_best_head(weights, target)
            for layer, weights in enumerate(maps, start=1)
            for kind, target in targets.items()
        }
