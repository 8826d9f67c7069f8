"""Attention counts the same on every kernel, in every layer that has it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.engine.inspection.counting import drawn, forward, trained, trained_module

B, HEADS, L, S, E = 2, 3, 7, 5, 4
QUERY, KEY = (B, HEADS, L, E), (B, HEADS, S, E)
SHAPES = [QUERY, KEY, KEY]
SCORES, SUMS = 2 * B * HEADS * L * S * E, 2 * B * HEADS * L * S * E
"""q k^T, and weights times values."""

attention = functional.scaled_dot_product_attention


@pytest.mark.parametrize("kernel", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION, None])
@pytest.mark.parametrize("causal", [False, True])
def test_on_every_kernel(kernel: SDPBackend | None, causal: bool) -> None:
    def attend(*tensors: Tensor) -> Tensor:
        if kernel is None:
            return attention(*tensors, is_causal=causal)
        with sdpa_kernel(kernel):
            return attention(*tensors, is_causal=causal)

    assert forward(attend, drawn(SHAPES)) == SCORES + SUMS
    assert trained(attend, drawn(SHAPES)) == 3 * (SCORES + SUMS)


@pytest.mark.parametrize(
    "kernel",
    ["flash_attention", "efficient_attention", "cudnn_attention", "flash_attention_for_cpu"],
)
def test_kernels_of_gpus_count_as_products_do(kernel: str) -> None:
    """On tensors without numbers, which need no GPU."""
    tensors = [torch.empty(shape, device="meta") for shape in SHAPES]
    more = {"efficient_attention": (None, True), "cudnn_attention": (None, True)}.get(kernel, ())
    operation = getattr(torch.ops.aten, f"_scaled_dot_product_{kernel}")
    attend = lambda *tensors: operation(*tensors, *more)  # noqa: E731
    assert forward(attend, tensors) == SCORES + SUMS
    assert trained(attend, tensors) == 3 * (SCORES + SUMS)


@pytest.mark.parametrize("shape", [(L, S), (HEADS, L, S), (B, HEADS, L, S)])
def test_a_learned_bias_is_added_and_not_multiplied(shape: tuple[int, ...]) -> None:
    biased = lambda q, k, v, bias: attention(q, k, v, attn_mask=bias)  # noqa: E731
    assert trained(biased, drawn([*SHAPES, shape])) == 3 * (SCORES + SUMS)


def test_dropout_changes_nothing() -> None:
    dropped = lambda *tensors: attention(*tensors, dropout_p=0.5)  # noqa: E731
    assert trained(dropped, drawn(SHAPES)) == 3 * (SCORES + SUMS)


def test_values_of_another_width() -> None:
    shapes = [QUERY, KEY, (B, HEADS, S, 9)]
    assert trained(attention, drawn(shapes)) == 3 * (SCORES + 2 * B * HEADS * L * S * 9)


def test_queries_that_share_keys() -> None:
    """Four heads of queries, two of keys and values: products are those of four."""
    shapes = [(B, 4, L, E), (B, 2, S, E), (B, 2, S, E)]
    grouped = lambda *tensors: attention(*tensors, enable_gqa=True)  # noqa: E731
    assert trained(grouped, drawn(shapes)) == 3 * 2 * (2 * B * 4 * L * S * E)


def test_without_a_gradient_of_the_queries() -> None:
    """Which a kernel finds all the same."""
    assert trained(attention, drawn(SHAPES), first=False) == 3 * (SCORES + SUMS)
    with sdpa_kernel(SDPBackend.MATH):
        assert trained(attention, drawn(SHAPES), first=False) == 3 * (SCORES + SUMS) - SCORES


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest tensor has."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        self.numbers = max([self.numbers, *(tensor.numel() for tensor in tensors)])
        return output


def test_fused_attention_needs_no_memory_for_all_pairs() -> None:
    def attend(*tensors: Tensor) -> Tensor:
        with largest:
            return attention(*tensors)

    largest, shape = Largest(), (1, 1, 64, 4)
    assert forward(attend, drawn([shape] * 3)) == 2 * (2 * 64 * 64 * 4)
    assert largest.numbers < 64 * 64


WIDTH = 12
PROJECTIONS = 2 * B * L * WIDTH * (4 * WIDTH)
"""Of queries, keys, values and the output."""
PAIRS = 2 * (2 * B * L * L * WIDTH)
"""Scores and sums of all heads, which share the width."""
MLP = 2 * B * L * (2 * WIDTH * 20)


@pytest.mark.parametrize("weights", [True, False])
def test_torchs_layer(weights: bool) -> None:
    layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    attend = lambda x: layer(x, x, x, need_weights=weights)  # noqa: E731
    x = torch.randn(B, L, WIDTH)
    assert forward(attend, [x]) == PROJECTIONS + PAIRS
    assert trained(attend, [x]) == 3 * (PROJECTIONS + PAIRS)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_torchs_encoder(training: bool, causal: bool) -> None:
    """Frozen and without gradients it would take another path, in which nothing is seen."""
    layer = nn.TransformerEncoderLayer(WIDTH, 2, 20, dropout=0.1, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2).train(training)
    mask = nn.Transformer.generate_square_subsequent_mask(L) if causal else None
    encode = lambda x: encoder(x, mask=mask, is_causal=causal)  # noqa: E731
    flops = 2 * (PROJECTIONS + PAIRS + MLP)
    x = torch.randn(B, L, WIDTH)
    assert forward(encode, [x]) == flops
    assert trained(encode, [x]) == 3 * flops


class AdditiveAttention(nn.Module):
    """v . tanh(W q_i + U k_j) (Bahdanau et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key = (nn.Linear(WIDTH, 8, bias=False) for _ in range(2))
        self.score = nn.Linear(8, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.tanh(self.query(x)[:, :, None] + self.key(x)[:, None])
        return self.score(pairs).squeeze(-1).softmax(-1) @ x


def test_additive_attention() -> None:
    projections, scores = 2 * (2 * B * L * WIDTH * 8), 2 * B * L * L * 8
    sums = 2 * B * L * L * WIDTH
    x = torch.randn(B, L, WIDTH)
    assert trained_module(AdditiveAttention(), x) == 3 * (projections + scores + sums)


class RelativeAttention(nn.Module):
    """Scores q_i . (k_j + r_ij) (Shaw et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.randn(L, L, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        scores = x @ x.mT + torch.einsum("bid,ijd->bij", x, self.offset)
        return scores.softmax(-1) @ x


def test_relative_attention() -> None:
    one = 2 * B * L * L * WIDTH
    assert trained_module(RelativeAttention(), torch.randn(B, L, WIDTH)) == 3 * (3 * one)
