"""What an optimizer needs of the training that steps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OptimizerNeeds:
    """Found out before training, by a trial on random gradients.

    loop_reason: why its step must be looped over replicas; None where it is vmapped.
    closure: its step evaluates the loss itself, once or more often (LBFGS, SAM).
    evaluated: its step reads gradients before it calls the closure, which is called once before.
    graph: its step differentiates the gradients, which need a graph (AdaHessian).
    draws: its step draws random numbers.
    resumes: what `state_dict` holds is all that it needs to go on to the same bits.
    """

    loop_reason: str | None
    closure: bool = False
    evaluated: bool = False
    graph: bool = False
    draws: bool = False
    resumes: bool = True

    @property
    def own_gradients(self) -> bool:
        """Whether gradients belong to each replica's own parameters, not to the stacked ones."""
        return self.closure or self.graph


LOOPED = OptimizerNeeds("asked for")
VMAPPED = OptimizerNeeds(None)
