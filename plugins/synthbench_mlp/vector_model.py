"""What the models of this plugin share: they read the whole input as one vector."""

from __future__ import annotations

from synthbench import (
    ClassLogits,
    Interface,
    InterfaceError,
    Margin,
    Margins,
    Model,
    Reals,
    RealSequence,
    Signs,
    Tokens,
    Value,
)


class VectorModel(Model):
    """A model that reads the whole input as one vector, and so gives no causal output."""

    inputs = (Signs, Reals, Tokens, RealSequence)
    outputs = (Margin, Margins, Value, ClassLogits)

    def check_accepts(self, interface: Interface) -> None:
        """No causal output, since every hidden neuron reads the whole input."""
        super().check_accepts(interface)
        if interface.output.causal:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it reads the whole input at once, and '
                f"{interface.output.describe()} may not see later positions; try transformer"
            )
