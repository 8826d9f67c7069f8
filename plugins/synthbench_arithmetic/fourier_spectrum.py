"""Hidden progress: how few frequencies the embedding and the logits are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View
from synthbench_arithmetic.cyclic import cyclic_group, modular

if TYPE_CHECKING:
    from torch import Tensor


class FourierSpectrum(Probe):
    """Power of the token embedding, and of the logits, at every frequency of the group.

    A residue's row of the embedding is a function on Z_p, and so is a pair's row of logits, as a
    function of the answer; for products and quotients both are read in the order of the powers of
    a generator, without 0. `embedding` and `logits` are curves over the frequencies 1, 2, ...:
    shares of the power, summed over columns, or over all pairs; the constant is left out. Beside
    them the share of the `top` largest, and the Gini coefficient of the norms, as in Nanda et al.
    2023. The embedding of a network on indicators is its first layer, a beside b. Such a
    network may use all frequencies, each neuron one (Gromov 2023), which the sum over columns
    does not show: `column-top` is the share of the largest frequency of each column (a neuron's
    weights on a or on b), averaged over columns in proportion to their power.
    """

    name: ClassVar[str] = "fourier-spectrum"
    paper: ClassVar[str] = "Nanda et al. 2023, arXiv:2301.05217"

    top: int = Field(default=5, ge=1)
    """Frequencies whose shares are added up."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`embedding` and `logits`, (m // 2,), of each `-top` and `-gini`, and `column-top`."""
        from synthbench_arithmetic.embedding import embedding_of
        from synthbench_arithmetic.waves import components, gini, power, shares, top_share
        from synthbench_arithmetic.whole_table import elements_of, whole_table

        task = modular(view)
        group = cyclic_group(task)
        elements = elements_of(group, view.batch.x)
        # Answers first: the spectrum of a function of the answer, for all pairs together.
        by_answer = whole_table(view, task, group).flatten(0, 1).T[elements]
        embedding = embedding_of(view, task)[elements]
        own = components(embedding).square().sum(dim=1)
        found = {"column-top": own.amax(dim=0).sum() / own.sum().clamp(min=1e-30)}
        for name, values in {"embedding": embedding, "logits": by_answer}.items():
            sizes = power(values)
            found[name] = shares(sizes)
            found[f"{name}-top"] = top_share(sizes, self.top)
            found[f"{name}-gini"] = gini(sizes.sqrt())
        return found
