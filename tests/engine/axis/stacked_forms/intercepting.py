"""Stacked modules whose calls of torch go to the forms, against the modules one by one."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state
from torch.utils._pytree import tree_leaves

from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.engine.axis.stacked_forms import STACKED_FORMS
from synthbench.engine.axis.tracing import traced
from synthbench.streams import NoiseStream


def forms() -> ReplicaFunctions:
    """As the engine has it active in a stack."""
    return ReplicaFunctions(NoiseStream(torch.tensor(0)), STACKED_FORMS)


def weighed(output) -> Tensor:
    """A loss to which every element of every output contributes differently."""
    return sum(
        (leaf * torch.arange(leaf.numel()).view(leaf.shape).cos()).sum()
        for leaf in tree_leaves(output)
    )


def close(found: Tensor, wanted: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=tolerance)


def check_module(build: Callable[[], nn.Module], *inputs: Tensor, twice: bool = False) -> None:
    """Outputs and gradients, vmapped, traced and alone, equal those of the modules themselves.

    build: makes a replica. inputs: (R, ...) each, floating-point ones are differentiated.
    twice: second derivatives too.
    """
    modules = [build() for _ in range(len(inputs[0]))]
    parameters, buffers = stack_module_state(modules)
    parameters = {name: p.detach() for name, p in parameters.items()}
    floating = [i for i, x in enumerate(inputs) if x.is_floating_point()]

    def gradients(seen: bool):
        def loss(parameters, buffers, *inputs):
            with forms() if seen else mock.MagicMock():
                output = functional_call(modules[0], (parameters, buffers), inputs)
            return weighed(output), output

        once = grad(loss, argnums=(0, *(i + 2 for i in floating)), has_aux=True)
        if not twice:
            return once
        again = lambda *given: weighed([g.sin() for g in tree_leaves(once(*given)[0])])  # noqa: E731
        return lambda *given: (once(*given), grad(again)(*given))

    given = (parameters, buffers, *inputs)
    stacked = torch.vmap(gradients(seen=True))
    other = [torch.zeros_like(x) if not x.is_floating_point() else x.flip(0) for x in inputs]
    replayed = traced(stacked)
    replayed({n: p.flip(0) for n, p in parameters.items()}, buffers, *other)
    results = stacked(*given), replayed(*given)
    for index in range(len(modules)):
        one = torch.utils._pytree.tree_map(lambda t: t[index], given)  # noqa: B023
        wanted = tree_leaves(gradients(seen=False)(*one))
        alone = tree_leaves(gradients(seen=True)(*one))
        for leaf, found in zip(wanted, alone, strict=True):
            close(found, leaf)
        for result in results:
            for leaf, found in zip(wanted, tree_leaves(result), strict=True):
                close(found[index], leaf)
