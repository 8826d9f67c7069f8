"""What a probe is told about the inside of a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from synthbench.engine.axis.activations import recorded


class ByHand(nn.Module):
    """Causal attention written out, twice, with a softmax that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 12) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            query, key, value = layer(x).chunk(3, dim=-1)
            scores = query @ key.transpose(-1, -2) / 2
            future = torch.ones_like(scores, dtype=torch.bool).triu(1)
            weights = torch.softmax(scores.masked_fill(future, -torch.inf), dim=-1)
            x = x + weights @ value
        return x.softmax(-1)


class Fused(ByHand):
    """The same with torch's fused attention."""

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            query, key, value = layer(x).chunk(3, dim=-1)
            x = x + nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return torch.softmax(x, -1)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))


def test_modules_by_path_and_attention_in_order(x: Tensor) -> None:
    module = ByHand()
    with recorded(module) as found:
        output = module(x)
    assert output.shape == (3, 6, 4)
    assert set(found.outputs) == {"layers.0", "layers.1"}
    assert torch.equal(found.outputs["layers.0"], module.layers[0](x))
    assert [tuple(a.shape) for a in found.attention] == [(3, 6, 6)] * 2, "not the last softmax"
    for weights in found.attention:
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 6))
        assert torch.equal(weights.triu(1), torch.zeros(3, 6, 6))


def test_fused_attention_shows_the_same_maps(x: Tensor) -> None:
    module, fused = ByHand(), Fused()
    fused.load_state_dict(module.state_dict())
    with recorded(module) as expected:
        module(x)
    with recorded(fused) as found:
        fused(x)
    for one, other in zip(expected.attention, found.attention, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("masked", [False, True])
def test_fused_attention_with_masks_scales_and_groups(masked: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(2, 4, 5, 8, generator=generator)
    key, value = torch.randn(2, 2, 2, 5, 8, generator=generator)
    bias = torch.randn(5, 5, generator=generator)
    mask = (bias > -0.5) | torch.eye(5, dtype=torch.bool) if masked else bias

    class One(nn.Module):
        def forward(self, query: Tensor) -> Tensor:
            return nn.functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, scale=0.3, enable_gqa=True
            )

    module = One()
    with recorded(module) as found:
        output = module(query)
    torch.testing.assert_close(found.attention[0] @ value.repeat_interleave(2, 1), output)


def test_nothing_is_left_behind(x: Tensor) -> None:
    module = ByHand()
    with recorded(module) as found:
        module(x)
    before = len(found.attention)
    module(x)
    torch.softmax(torch.ones(3, 3), -1)
    assert len(found.attention) == before
    assert not any(child._forward_hooks for child in module.modules())


def test_it_works_inside_vmap(x: Tensor) -> None:
    modules = [ByHand() for _ in range(3)]
    parameters, _ = stack_module_state(modules)
    skeleton = ByHand().to("meta")

    def of_one(own: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        with recorded(skeleton) as found:
            functional_call(skeleton, own, (x,))
        return found.attention[1], found.outputs["layers.1"]

    maps, outputs = torch.vmap(of_one)(parameters)
    for r, module in enumerate(modules):
        with recorded(module) as alone:
            module(x)
        torch.testing.assert_close(maps[r], alone.attention[1])
        torch.testing.assert_close(outputs[r], alone.outputs["layers.1"])


@pytest.mark.parametrize("need_weights", [False, True])
def test_torch_s_own_attention_modules_show_their_maps(need_weights: bool, x: Tensor) -> None:
    module = nn.MultiheadAttention(4, 2, batch_first=True).eval()
    plain = module(x, x, x, need_weights=need_weights)

    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = module

        def forward(self, x: Tensor) -> Tensor:
            return self.attention(x, x, x, need_weights=need_weights)[0]

    with recorded(One()) as found:
        output = One()(x)
    torch.testing.assert_close(output, plain[0])
    (weights,) = found.attention
    assert weights.shape == (3, 2, 6, 6)
    expected = module(x, x, x, need_weights=True, average_attn_weights=False)[1]
    torch.testing.assert_close(weights, expected)

    encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    with recorded(encoder) as inside, torch.no_grad():
        encoder(x)
    assert [tuple(a.shape) for a in inside.attention] == [(3, 2, 6, 6)]


def test_inputs_are_the_very_tensors(x: Tensor) -> None:
    module = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    with recorded(module) as found:
        module(x)
    assert found.inputs["0"] is x and found.inputs["1"] is found.outputs["0"]
