"""torch's own attention is the oracle, in double precision.

`pytest -m slow` crosses every option with every number of axes.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.engine.axis.stacked_forms.intercepting import check_module, forms

R, B, T, WIDTH = 2, 3, 5, 4
PRE_NORM = {"norm_first": True, "activation": "gelu"}
CAUSAL = nn.Transformer.generate_square_subsequent_mask(T).double()


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


class Attention(nn.Module):
    def __init__(self, **options) -> None:
        super().__init__()
        self.options = options
        self.scale = nn.Parameter(torch.rand(()))

    def forward(self, query, key, value):
        query = self.scale * query
        return functional.scaled_dot_product_attention(query, key, value, **self.options)


def qkv(*shape: int) -> list[torch.Tensor]:
    return [torch.randn(R, *shape) for _ in range(3)]


SHAPES = [(T, WIDTH), (B, T, WIDTH), (B, 2, T, WIDTH), (1, B, 2, T, WIDTH)]
OPTIONS = [
    {},
    {"is_causal": True},
    {"scale": 0.3},
    {"attn_mask": CAUSAL},
    {"attn_mask": torch.ones(T, T, dtype=torch.bool).tril()},
    # The first row may attend to nothing.
    {"attn_mask": torch.ones(T, T, dtype=torch.bool).tril(-1)},
]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        pytest.param(shape, given, marks=() if few else pytest.mark.slow)
        for shape in SHAPES
        for given in OPTIONS
        for few in [shape == SHAPES[2] or given in OPTIONS[:2]]
    ],
)
def test_attention_equals_torchs_own(shape, options) -> None:
    check_module(lambda: Attention(**options), *qkv(*shape))


def test_grouped_queries_and_other_lengths_and_widths() -> None:
    query, few = torch.randn(R, B, 4, T, WIDTH), torch.randn(R, B, 2, T, WIDTH)
    check_module(lambda: Attention(enable_gqa=True), query, few, few.flip(0))
    long, wide = torch.randn(R, B, 4, 7, WIDTH), torch.randn(R, B, 4, 7, 6)
    check_module(Attention, query, long, long.flip(0))
    check_module(Attention, query, long, wide)


def test_a_mask_that_is_learned() -> None:
    class Biased(Attention):
        def __init__(self) -> None:
            super().__init__()
            self.options = {"attn_mask": nn.Parameter(torch.randn(T, T))}
            self.mask = self.options["attn_mask"]

        def forward(self, query, key, value):
            self.options = {"attn_mask": self.mask}
            return super().forward(query, key, value)

    check_module(Biased, *qkv(B, T, WIDTH))


@pytest.mark.parametrize(
    "options", [{"is_causal": True}, pytest.param({"attn_mask": CAUSAL}, marks=pytest.mark.slow)]
)
def test_second_derivatives(options) -> None:
    with sdpa_kernel(SDPBackend.MATH):
        check_module(lambda: Attention(**options), *qkv(B, T, WIDTH), twice=True)


def test_dropout_is_of_the_attention_weights(monkeypatch) -> None:
    monkeypatch.setattr(functional, "dropout", lambda weights, p, training: weights * p)
    query, key, value = (t[0] for t in qkv(B, T, WIDTH))
    with forms():
        found = functional.scaled_dot_product_attention(query, key, value, dropout_p=0.25)
    wanted = functional.scaled_dot_product_attention(query, key, value) * 0.25
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(
    ("options", "training"),
    [
        ({}, True),
        (PRE_NORM, False),
        pytest.param({}, False, marks=pytest.mark.slow),
        pytest.param(PRE_NORM, True, marks=pytest.mark.slow),
    ],
)
def test_encoder_layers_in_both_modes(training, options) -> None:
    def build() -> nn.Module:
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 8, 0.0, batch_first=True, **options)
        return layer.train(training)

    check_module(build, torch.randn(R, B, T, WIDTH))


def test_multihead_attention_with_a_causal_mask() -> None:
    class Causal(nn.MultiheadAttention):
        def forward(self, x):
            given = {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False}
            return super().forward(x, x, x, **given)[0]

    check_module(lambda: Causal(WIDTH, 2, batch_first=True), torch.randn(R, B, T, WIDTH))
