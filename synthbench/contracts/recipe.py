"""How a model is trained: the recipe, and the contract of an optimizer that it may name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    InstanceOf,
    field_serializer,
    field_validator,
    model_validator,
)

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.frozen import Frozen
from synthbench.errors import did_you_mean

if TYPE_CHECKING:
    import torch
    from torch import nn

ELEMENTWISE = ("sgd", "adam", "adamw")
"""Optimizers of the core: they act on each number alone, so one steps all replicas."""


class Optimizer(Configuration, ABC):
    """Builds ordinary torch optimizers for a single replica; the engine adds the replica axis.

    Its fields are what the recipe does not have: the recipe keeps the learning rate, its
    schedule, weight decay and clipping. The step is vmapped over replicas where that gives each
    the numbers it would have had alone, and looped otherwise. What has to survive a checkpoint
    is kept in `state` and `param_groups`: tensors, numbers, lists and dicts. Registered with
    `register_optimizers`, chosen with `'mlp optimizer=muon optimizer.momentum=0.9 lr=0.02'`.
    """

    looped: ClassVar[bool] = False
    """True where the step has to be called for one replica at a time, though a trial of a few
    steps can be vmapped."""
    graph: ClassVar[bool] = False
    """True where the step differentiates the gradients, though a trial of a few steps does not."""

    @abstractmethod
    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: Recipe
    ) -> torch.optim.Optimizer | Sequence[torch.optim.Optimizer]:
        """Optimizers that together hold every parameter of one replica exactly once.

        parameters: those that are trained, by the names of the author's module, with the class
        and attributes that its author gave them. recipe: its `lr` is the peak; the engine
        multiplies the learning rate of every group by the schedule.
        Random numbers, here and in `step()`, come from torch's, NumPy's and Python's generators,
        which are seeded for the replica. `step()` is called with dense gradients under
        `torch.no_grad`; with a closure where it fails without one, and with gradients that have a
        graph, under `torch.enable_grad`, where it differentiates them. `train()` and `eval()`, if
        an optimizer has both, are called around each evaluation.
        """


class Recipe(Frozen):
    """The training recipe that belongs to a model and is recorded with its results."""

    optimizer: Literal["sgd", "adam", "adamw"] | InstanceOf[Optimizer] = "sgd"
    """Update rule, an `Optimizer` in Python; adam and sgd add weight decay to the gradient."""
    lr: float = Field(default=0.1, gt=0)
    """Peak learning rate."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["full"] = 32
    """Samples per optimizer step; full: the whole of a finite training set."""
    loss: str | None = None
    """One of the task's losses; none: the task's default."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Heavy-ball momentum (sgd only)."""
    nesterov: bool = False
    """Nesterov's form of the momentum (sgd only)."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment (adam, adamw)."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment (adam, adamw)."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the denominator (adam, adamw)."""
    weight_decay: float = Field(default=0.0, ge=0)
    """L2 coefficient (sgd, adam) or decoupled decay (adamw)."""
    decayed: Literal["all", "matrices"] = "all"
    """What the weight decay applies to; matrices leaves out biases and normalization gains."""
    clip: float | None = Field(default=None, gt=0)
    """Largest global gradient norm of a replica, each replica on its own; none: no clipping."""
    schedule: Literal["constant", "linear", "cosine", "inverse-sqrt", "warmup-stable-decay"] = (
        "constant"
    )
    """Shape of the learning rate after the warm-up, over the steps of the budget."""
    warmup: int = Field(default=0, ge=0)
    """Steps of linear warm-up from zero."""
    lr_final: float = Field(default=0.0, ge=0, le=1)
    """Where linear, cosine and warmup-stable-decay end, as a fraction of lr."""
    decay: float = Field(default=0.2, gt=0, le=1)
    """Share of the budget that warmup-stable-decay spends decaying."""

    @field_validator("optimizer", mode="before")
    @classmethod
    def _is_a_name_or_an_object(cls, value: object) -> object:
        if isinstance(value, Optimizer) or value in ELEMENTWISE:
            return value
        known = f"one of {', '.join(ELEMENTWISE)}, or an Optimizer object"
        suggestion = did_you_mean(value, ELEMENTWISE) if isinstance(value, str) else ""
        raise ValueError(f"must be {known}{suggestion}")

    @field_serializer("optimizer")
    def _described(self, value: str | Optimizer) -> str | dict[str, Any]:
        return value.describe() if isinstance(value, Optimizer) else value

    @model_validator(mode="after")
    def _momentum_is_for_sgd(self) -> Recipe:
        if self.optimizer != "sgd" and (self.momentum or self.nesterov):
            raise ValueError(
                "momentum and nesterov need optimizer=sgd; adam has beta1, and a plugin's "
                "optimizer has fields of its own, written optimizer.field=value"
            )
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs momentum above 0")
        return self
