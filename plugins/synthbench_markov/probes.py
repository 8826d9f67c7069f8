"""Which strategy a model follows, and what its attention looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, Tokens, View
from synthbench_markov.task import MarkovChain

if TYPE_CHECKING:
    from torch import Tensor


class Strategies(Probe):
    """Divergence of the model's predictions from each strategy's, KL(model || strategy), in nats.

    Over the last positions of the held-out sequences, for every reference of the task.
    Source: E. Edelman et al. 2024, figure 1.
    """

    name: ClassVar[str] = "strategies"
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"

    last: int | None = Field(default=None, ge=1)
    """Positions at the end over which the divergence is averaged; none: those the task scores."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """One divergence for each reference."""
        length = tokens_of(view).length
        scored = view.task.last if isinstance(view.task, MarkovChain) else 1
        last = self.last or scored
        if last > length:
            raise ValueError(f"last must be at most length={length}, got {last}")
        model = view.forward(view.parameters, view.batch.x)[:, -last:].log_softmax(dim=-1)
        found = {}
        for name, output in view.task.references(view.world, view.batch).items():
            strategy = output[:, -last:].log_softmax(dim=-1)
            found[name] = (model.exp() * (model - strategy)).sum(dim=-1).mean()
        return found


class Attention(Probe):
    """Where each layer's attention goes, averaged over heads, sequences and later positions.

    previous: to the previous token. successors: to the tokens that followed earlier
    occurrences of the current one, the induction score. matches: to those earlier occurrences
    themselves. Only positions with such a token count, in the second half of the sequence.
    Source: E. Edelman et al. 2024, section 3; Olsson et al. 2022.
    """

    name: ClassVar[str] = "attention"
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`layer<l>-<kind>` for every attention map."""
        from synthbench_markov.attention_targets import earlier, previous_token, successors

        tokens_of(view)
        x = view.batch.x
        maps = view.record(view.parameters, x).attention
        if not maps:
            raise ValueError("the network has no attention over its tokens")
        targets = {
            "previous": previous_token(x),
            "successors": successors(x),
            "matches": earlier(x),
        }
        half = x.shape[1] // 2
        found = {}
        for layer, weights in enumerate(maps, start=1):
            heads = weights.reshape(x.shape[0], -1, x.shape[1], x.shape[1]).mean(dim=1)
            for kind, target in targets.items():
                mass = (heads * target).sum(dim=-1)[:, half:]
                counted = target.any(dim=-1)[:, half:].to(mass.dtype)
                share = (mass * counted).sum() / counted.sum().clamp(min=1)
                found[f"layer{layer}-{kind}"] = share
        return found


def tokens_of(view: View) -> Tokens:
    """The task's tokens, if that is what it is about; ValueError otherwise."""
    tokens = view.task.interface.input
    if not isinstance(tokens, Tokens):
        raise ValueError(f"it reads sequences of tokens; {view.task.name} has {tokens.describe()}")
    return tokens
