"""The form of an affine map against torch's, under vmap and with its gradients."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap
from torch.nn import functional as F

from synthbench.engine.axis.stacked_forms.linear import linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5), (0, 5), (2, 0, 5)])
def test_it_is_torch_s(shape: tuple[int, ...], bias: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x, w, b = (torch.randn(3, *s, generator=generator) for s in (shape, (7, 5), (7,)))
    if bias:
        found, expected = vmap(linear)(x, w, b), vmap(F.linear)(x, w, b)
    else:
        found, expected = vmap(linear)(x, w), vmap(F.linear)(x, w)
    assert torch.equal(found, expected)
    for place in (0, 1):
        slopes = [
            vmap(grad(lambda *own, f=f: f(*own, b[0]).square().sum(), argnums=place))(x, w)
            for f in (linear, F.linear)
        ]
        assert torch.equal(*slopes)


def test_a_single_output_without_its_axis() -> None:
    x, w = torch.randn(4, 5), torch.randn(5)
    assert torch.equal(linear(x, w), F.linear(x, w))
