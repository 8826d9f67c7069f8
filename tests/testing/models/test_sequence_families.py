"""Every bundled family on the common trunk keeps every law, on every interface it declares."""

from __future__ import annotations

import pytest

from synthbench.registry.registry import installed
from synthbench.testing import check_model

FAMILIES = [
    "attention",
    "attention norm=false rotary=false window=3 positions=absolute",
    "linear-attention",
    "retnet",
    "gla rank=2",
    "short-convolution",
    "deltanet",
    "deltanet gated=true",
    "mamba2 state=3",
    "rwkv rank=2",
    "lstm",
    "gru",
    "min-gru",
]
"""Tried with one layer of its mixer; `tests/trunk` tries what surrounds it."""


@pytest.mark.parametrize("reference", FAMILIES)
def test_families_keep_every_law(reference: str) -> None:
    check_model(installed().model(f"{reference} layers=1 width=4 mlp=0"))
