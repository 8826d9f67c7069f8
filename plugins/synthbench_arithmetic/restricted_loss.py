"""Hidden progress: the loss with the key frequencies alone, and without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View
from synthbench_arithmetic.cyclic import cyclic_group, modular

if TYPE_CHECKING:
    from torch import Tensor


class RestrictedLoss(Probe):
    """Cross-entropy, in nats, of what the key frequencies say, and of what is left without them.

    For each answer the logits are a function of (a, b) on the whole table. Its key part is spanned
    by cos(w_k s) and sin(w_k s) of the exponent s of a o b (a + b for sums, a - b for differences,
    discrete logarithms for products and quotients, where pairs with 0 are left out), with
    w_k = 2 pi k / m for the key frequencies k. `restricted` is the loss of the mean over pairs plus
    the key part; `excluded` that of the logits less the key part, both over the whole table.
    `excluded-train` is the latter on the pairs that are trained on, the paper's; `network` is the
    loss of the logits as they are. `share` is that of the key part in the squared logits (less
    their mean over answers, and over pairs).

    The key frequencies are those with the largest such part in the network as it is now. The paper
    takes them from the end of training; where they are still others, the network does not yet use
    them. Source: Nanda et al. 2023, section 5.1.
    """

    name: ClassVar[str] = "restricted-loss"
    paper: ClassVar[str] = "Nanda et al. 2023, arXiv:2301.05217"

    keys: int = Field(default=5, ge=1)
    """Number of key frequencies."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`network`, `restricted`, `excluded`, `excluded-train` and `share`, scalars."""
        from synthbench_arithmetic.key_part import cross_entropy, key_part, truth_and_trained
        from synthbench_arithmetic.whole_table import whole_table

        task = modular(view)
        group = cyclic_group(task)
        logits = whole_table(view, task, group)
        key = key_part(logits, group.sign, self.keys)
        mean = logits.mean(dim=(0, 1), keepdim=True)
        truth, trained = truth_and_trained(view.world, task, group)
        everywhere = trained.new_ones(trained.shape)
        total = (logits - mean).square().sum()
        return {
            "network": cross_entropy(logits, truth, everywhere),
            "restricted": cross_entropy(mean + key, truth, everywhere),
            "excluded": cross_entropy(logits - key, truth, everywhere),
            "excluded-train": cross_entropy(logits - key, truth, trained),
            "share": key.square().sum() / total.clamp(min=1e-30),
        }
