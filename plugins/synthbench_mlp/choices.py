"""What an MLP may be asked for by name."""

from __future__ import annotations

from typing import Literal

Activation = Literal["relu", "power", "tanh", "sin", "gelu", "identity"]
Initialization = Literal["uniform", "gaussian", "rademacher", "sparse"]
