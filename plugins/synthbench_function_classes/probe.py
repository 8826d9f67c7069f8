"""Which predictor a model follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_function_classes.function_class import FunctionClass

if TYPE_CHECKING:
    from torch import Tensor


class Predictors(Probe):
    """Mean squared difference between the model's predictions and each reference's, over E f^2.

    On the held-out sequences that are ranked. Source: Raventos et al. 2023, section 2 (there
    from Bayes' rule among the pool, `optimal`, and from ridge regression).
    """

    name: ClassVar[str] = "predictors"
    paper: ClassVar[str] = "Raventos et al. 2023, arXiv:2306.15063"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """One squared difference for each reference."""
        if not isinstance(view.task, FunctionClass):
            raise ValueError(f'task "{view.task.name}" is no regression in context')
        model = view.forward(view.parameters, view.batch.x)[:, ::2]
        return {
            name: (model - output[:, ::2]).square().mean() / view.task.mean_square
            for name, output in view.task.references(view.world, view.batch).items()
        }
