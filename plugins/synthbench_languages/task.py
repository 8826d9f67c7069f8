"""In-context language learning: strings of an automaton never seen (Akyurek et al. 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Preset,
    Task,
    TokenLogits,
    Tokens,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class InContextLanguages(Task):
    """Predict the next symbol of strings that a random automaton, new in each sequence, writes.

    From state 0 on, the automaton takes one of its state's edges, all alike; each writes another
    symbol and leads to another state. A string has 1 to `longest` symbols, all lengths alike, and
    then an END; as many strings as fit follow one another. Bayes would have to average over all
    automata, so the ceiling is an oracle that is told the automaton. Ranked by cross-entropy in
    nats over all positions.
    """

    name: ClassVar[str] = "in-context-languages"
    headline: ClassVar[tuple[str, ...]] = ("states", "alphabet", "length")
    paper: ClassVar[str] = "Akyurek et al. 2024, arXiv:2401.12973"
    ceiling: ClassVar[str] = "oracle"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "states=[3,3] alphabet=[4,4] edges=[1,2] longest=9 length=64 target=0.58",
            model="transformer layers=2 heads=1 width=32 positions=relative optimizer=adam "
            "lr=0.003 weight_decay=0 batch_size=32",
            budget=50_000,
            probes=("ngram-attention",),
            evaluation_samples=256,
        ),
        "akyurek": Preset(
            "states=[4,12] alphabet=[4,18] edges=[1,3] longest=49 length=400",
            model="transformer layers=8 heads=2 width=128 mlp=4 positions=absolute "
            "optimizer=adamw lr=5e-4 weight_decay=0.1 batch_size=32",
            budget=1_000_000,
            train_samples=5_000,
            probes=("ngram-attention",),
        ),
    }

    states: tuple[int, int] = (4, 12)
    """Fewest and most states of an automaton."""
    alphabet: tuple[int, int] = (4, 18)
    """Fewest and most symbols of a language, out of as many as the most."""
    edges: tuple[int, int] = (1, 3)
    """Fewest and most edges that leave a state."""
    longest: int = Field(default=49, ge=1)
    """Symbols of the longest strings."""
    length: int = Field(default=400, ge=4)
    """Symbols in a sequence: of about 2 length / (longest + 3) strings."""

    @model_validator(mode="after")
    def _fits_together(self) -> InContextLanguages:
        least = {"states": 2, "alphabet": 1, "edges": 1}
        for name, smallest in least.items():
            low, high = getattr(self, name)
            if not smallest <= low <= high:
                raise ValueError(
                    f"{name} must be ascending and from {smallest} on, got {low, high}"
                )
        if self.edges[1] > self.alphabet[0]:
            raise ValueError(
                "the edges of a state have different symbols, so there are at most "
                f"alphabet={self.alphabet[0]} of them, got {self.edges[1]}"
            )
        return self

    @property
    def end(self) -> int:
        """The symbol between strings, END; the last of all."""
        return self.alphabet[1]

    @property
    def interface(self) -> Interface:
        """Symbols and END in, log-odds of the next one out."""
        symbols = self.end + 1
        return Interface(Tokens(symbols, self.length), TokenLogits(symbols, self.length))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor, since every sequence has an automaton of its own."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences: x, which begins with END, and y (size, length), one symbol later.

        Latents: `chances` (size, length, symbols), the automaton's own probabilities of y.
        """
        from torch.nn.functional import pad

        from synthbench_languages.automata import draw_automata, places_in_strings, walk
        from synthbench_languages.oracle import chances, written

        automata = draw_automata(rng, size, self.states, self.alphabet, self.edges)
        place = places_in_strings(rng, size, self.length, self.longest)
        state, edge = walk(rng, automata, place)
        y = written(automata, state, edge, place, self.end)
        x = pad(y[:, :-1], (1, 0), value=self.end)
        return Batch(x, y, {"chances": chances(automata, state, place, self.longest, self.end)})

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy at every position (the default), or at the last alone."""
        return NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy; how often the likeliest symbol is possible; distance from the automaton.

        The distance is total variation, over all positions and, as a curve, at each. The latter
        two are the measures of section 3 in Akyurek et al.
        """
        true = batch.latents["chances"]
        far = (output.softmax(dim=-1) - true).abs().sum(dim=-1) / 2
        largest = (output == output.amax(dim=-1, keepdim=True)).to(true.dtype)
        possible = (largest * (true > 0)).sum(dim=-1) / largest.sum(dim=-1)
        return {
            "cross-entropy": NEXT_TOKEN_LOSSES["cross-entropy"](output, batch),
            "accuracy": possible.mean(),
            "distance": far.mean(),
            "by-position": far.mean(dim=0),
        }

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Uniform; in-context n-grams, n = 1, 2, 3; the automaton itself."""
        from synthbench_languages.n_grams import n_grams
        from synthbench_languages.oracle import log_of

        oracle = log_of(batch.latents["chances"])
        counted = n_grams(batch.x, self.end + 1, 3)
        names = ("unigram", "bigram", "trigram")
        grams = {name: part.log() for name, part in zip(names, counted, strict=True)}
        return {"trivial": 0 * oracle, **grams, "oracle": oracle}

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy in nats; the oracle's where all states have the same number of edges.

        Otherwise states with few edges are visited more often, since walks return to them.
        """
        from synthbench_languages.expected import oracle_loss

        exact = {"trivial": math.log(self.end + 1)}
        if self.edges[0] == self.edges[1]:
            exact["oracle"] = oracle_loss(self.edges[0], self.longest, self.length)
        return exact
