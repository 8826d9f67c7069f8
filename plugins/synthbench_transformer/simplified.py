"""The simplified transformer of E. Edelman et al. 2024 (section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, InterfaceError, Model, Recipe, TokenLogits, Tokens

if TYPE_CHECKING:
    from torch import nn


class SimplifiedTransformer(Model):
    """f(E) = mask(E W_k (M E)^T) E with M lower-triangular Toeplitz: two layers, two parameters.

    E holds the one-hot tokens (T, V). The first layer, M with the entries v by distance, mixes
    earlier tokens into the keys; the second compares the current token with them through W_k
    and adds up what it attends to. W_k = I with v = (0, 1, 0, ...) counts bigrams, W_k = 11^T
    with v = (1, 0, ...) counts tokens; divided by the number of positions, the counts are the
    logits. The released code passes v through a softmax and gives it a larger learning rate.
    """

    name: ClassVar[str] = "simplified-transformer"
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"
    inputs = (Tokens,)
    outputs = (TokenLogits,)
    takes_shorter = True

    softmax: bool = True
    """Whether v passes through a softmax, which keeps its entries positive with sum 1."""
    init: float = Field(default=0.01, ge=0)
    """Initial entries of W_k; v begins at zero, or without a softmax at 1/T."""
    v_rate: float = Field(default=10.0, gt=0)
    """Learning rate of v as a multiple of that of W_k."""
    recipe: Recipe = Recipe(optimizer="sgd", lr=1.0, batch_size=64)

    def check_accepts(self, interface: Interface) -> None:
        """Its logits are of the symbols that it reads, where it reads them."""
        super().check_accepts(interface)
        given, wanted = interface.input, interface.output
        assert isinstance(given, Tokens) and isinstance(wanted, TokenLogits)
        if (given.vocabulary, given.length) != (wanted.vocabulary, wanted.length):
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it gives logits of the symbols that '
                f"it reads, the task is {interface.describe()}"
            )

    def build(self, interface: Interface) -> nn.Module:
        """W_k and v, initialized as released."""
        from synthbench_transformer.simplified_network import Profile, Simplified

        assert isinstance(interface.input, Tokens)
        profile = Profile(interface.input.length, self.v_rate, self.softmax)
        return Simplified(interface.input.vocabulary, self.init, profile)
