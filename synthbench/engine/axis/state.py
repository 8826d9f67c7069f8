"""Tensors of replicas by the names that the author's module gives them."""

from __future__ import annotations

from torch import Tensor

State = dict[str, Tensor]
"""Name -> tensor: (R, ...) of a stack, (...) of one replica."""
