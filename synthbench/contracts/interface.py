"""What a task gives to a model and expects back. The kinds of ports are in this module too."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.contracts.input_ports import Reals as Reals
from synthbench.contracts.input_ports import RealSequence as RealSequence
from synthbench.contracts.input_ports import Signs as Signs
from synthbench.contracts.input_ports import Tokens as Tokens
from synthbench.contracts.output_ports import ClassLogits as ClassLogits
from synthbench.contracts.output_ports import Margin as Margin
from synthbench.contracts.output_ports import Margins as Margins
from synthbench.contracts.output_ports import TokenLogits as TokenLogits
from synthbench.contracts.output_ports import Value as Value
from synthbench.contracts.port import Port as Port


@dataclass(frozen=True)
class Interface:
    """What goes into a model and what must come out."""

    input: Port
    output: Port

    def describe(self) -> str:
        """`signs (n=40) -> margin`."""
        return f"{self.input.describe()} -> {self.output.describe()}"
