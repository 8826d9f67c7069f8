"""What the built-in optimizers do, in words: they are no classes that could say it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHARED = ("lr", "weight_decay", "decayed", "clip", "schedule", "warmup", "lr_final", "decay")
"""Fields of the recipe that act on every optimizer."""
MOMENTS = ("beta1", "beta2", "eps")


@dataclass(frozen=True)
class Elementwise:
    """One of them: its update rule, the fields of the recipe that are its own, and its source."""

    summary: str
    rule: str
    fields: tuple[str, ...]
    paper: str


ELEMENTWISE: Mapping[str, Elementwise] = {
    "sgd": Elementwise(
        "Stochastic gradient descent, with heavy-ball or Nesterov's momentum if asked for.",
        "g += weight_decay w; v = momentum v + g; w -= lr v, or with nesterov "
        "w -= lr (g + momentum v).",
        ("momentum", "nesterov"),
        "Robbins & Monro 1951; momentum: Polyak 1964, Sutskever et al. 2013",
    ),
    "adam": Elementwise(
        "Steps of a running mean of the gradient over the root of one of its square.",
        "g += weight_decay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; "
        "w -= lr m' / (sqrt(v') + eps), m' = m / (1 - beta1^t), v' = v / (1 - beta2^t).",
        MOMENTS,
        "Kingma & Ba 2015, arXiv:1412.6980",
    ),
    "adamw": Elementwise(
        "Adam, with weights that decay on their own instead of through the gradient.",
        "w -= lr weight_decay w; then Adam's step, of the gradient alone.",
        MOMENTS,
        "Loshchilov & Hutter 2019, arXiv:1711.05101",
    ),
}
"""The names are those of `Recipe.optimizer`; the arithmetic is that of `torch.optim`."""
