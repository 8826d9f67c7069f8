"""Initializations of Barak et al. 2022 (section 3 and appendix on training details)."""

from __future__ import annotations

import torch
from torch import nn

from synthbench_mlp.choices import Initialization


@torch.no_grad()
def initialize(network: nn.Module, kind: Initialization, sparsity: int) -> None:
    """Overwrite the weights of every linear layer.

    uniform: weights and biases uniform on +-1/sqrt(fan-in), torch's own rule.
    gaussian: variance 1/fan-in; rademacher: random signs over sqrt(fan-in).
    sparse: each first-layer neuron reads `sparsity` random inputs with random signs; later
    layers as uniform. Biases are zero in all but uniform.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for position, layer in enumerate(linear):
        fan_in = layer.in_features
        if kind == "gaussian":
            layer.weight.normal_(std=fan_in**-0.5)
        elif kind == "rademacher":
            layer.weight.copy_(random_signs(layer.weight.shape) * fan_in**-0.5)
        elif kind == "sparse" and position == 0:
            kept = torch.rand(layer.weight.shape).argsort(dim=1)[:, :sparsity]
            layer.weight.zero_()
            layer.weight.scatter_(1, kept, random_signs(kept.shape))
        if kind != "uniform" and layer.bias is not None:
            layer.bias.zero_()


def random_signs(shape: torch.Size) -> torch.Tensor:
    """Fair -1 and +1 from torch's global generator, which the engine seeds per replica."""
    return torch.randint(0, 2, shape).float() * 2 - 1
