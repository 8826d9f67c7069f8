"""The gradient that tells the coordinates of the support from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench import Batch, View
from synthbench_parity.first_layer import first_layer_name, neurons, parity_of

if TYPE_CHECKING:
    from torch import Tensor


def population_gradient(view: View, samples: int) -> Tensor:
    """Gradient of the recipe's loss in the first layer, without label noise: (neurons, n).

    Exact, over all 2^n inputs, where n <= log2(samples), and over as many fresh samples
    otherwise. ValueError where the task has no support, or no parameter reads its coordinates.
    """
    from torch.func import grad

    from synthbench_parity.fourier import every_input

    task = parity_of(view)
    x = every_input(task.n, view.batch.x) if 2**task.n <= samples else view.sample(samples).x
    batch = Batch(x, x[:, view.world].prod(dim=1))
    name = first_layer_name(view, task.n)

    def loss(weights: Tensor) -> Tensor:
        return view.loss(view.forward({**view.parameters, name: weights}, batch.x), batch)

    return neurons(grad(loss)(view.parameters[name]), task.n)
