"""forms of one line: torch's own functions are the oracle, in double precision."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state
from torch.nn.utils.parametrizations import weight_norm

from tests.engine.axis.stacked_forms.intercepting import check_module, forms

R = 3


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(bias) -> None:
    x, y = torch.randn(R, 5, 4), torch.randn(R, 5, 3)
    check_module(lambda: nn.Bilinear(4, 3, 2, bias=bias), x, y)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim) -> None:
    # Every parametrized module is of a class of its own, so that two of them cannot be stacked.
    module = weight_norm(nn.Linear(4, 3), dim=dim)
    check_module(lambda: module, torch.randn(R, 5, 4))


@pytest.mark.parametrize("norm_type", [1.0, 2.0])
def test_max_norm_shrinks_the_rows_that_a_replica_looks_up(norm_type) -> None:
    modules = [nn.Embedding(6, 4, max_norm=1.0, norm_type=norm_type) for _ in range(R)]
    tokens = torch.randint(0, 6, (R, 2, 3))
    weights = stack_module_state(modules)[0]["weight"].detach()

    def look_up(weight, tokens):
        def loss(weight):
            with forms():
                output = functional_call(modules[0], {"weight": weight}, (tokens,))
            return output.square().sum(), output

        return torch.func.grad(loss, has_aux=True)(weight)

    gradients, outputs = torch.vmap(look_up)(weights, tokens)
    for r, module in enumerate(modules):
        output = module(tokens[r])
        output.square().sum().backward()
        torch.testing.assert_close(outputs[r], output)
        torch.testing.assert_close(gradients[r], module.weight.grad)
        torch.testing.assert_close(weights[r], module.weight.detach())


def test_spectral_norm_of_the_older_kind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modules = [nn.utils.spectral_norm(nn.Linear(4, 3)) for _ in range(R)]
    parameters, buffers = stack_module_state(modules)
    x = torch.randn(R, 5, 4)

    def run(parameters, buffers, x):
        with forms():
            return functional_call(modules[0], (parameters, buffers), (x,))

    outputs = torch.vmap(run)(parameters, buffers, x)
    for r, module in enumerate(modules):
        torch.testing.assert_close(outputs[r], module(x[r]))
        torch.testing.assert_close(buffers["weight_u"][r], module.weight_u)
