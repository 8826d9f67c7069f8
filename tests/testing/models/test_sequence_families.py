"""Every bundled family on the common trunk keeps every law.

What a family brings is its mixer, which sees the same vectors whatever the trunk read them from and
whatever is read out of them. So each is tried on a causal output at every position, and some on one
output for all of them, where the trunk appends a token; with `-m slow`, each on every kind of
interface and with more replicas.
"""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_model
from synthbench.testing.workbench.example_inputs import example_interfaces
from tests.testing.models.few import few

__all__ = ["few"]

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


INTERFACES = (
    sb.Interface(sb.Tokens(3, 7), sb.TokenLogits(3, 7)),
    sb.Interface(sb.RealSequence(7, 2), sb.Value()),
)


SPECIAL = {"deltanet", "lstm"}
"""DeltaNet with its gates open, and the other class of torch's behind the mixer of the GRU."""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("reference", [name for name in FAMILIES if name not in SPECIAL])
def test_families_keep_every_law(reference: str) -> None:
    report = check_model(family(reference), INTERFACES[:1])
    assert report.facts["replicas"] == "traced"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "reference", ["attention", pytest.param("gla rank=2", marks=pytest.mark.slow)]
)
def test_families_keep_every_law_with_one_output_for_all_positions(reference: str) -> None:
    """A mixer at once over all positions, and one in chunks with a state between them."""
    check_model(family(reference), INTERFACES[1:])


def test_the_interfaces_are_among_those_that_families_declare() -> None:
    assert set(INTERFACES) <= set(example_interfaces(family("gru")))


@pytest.mark.slow
@pytest.mark.parametrize("reference", FAMILIES)
def test_families_keep_every_law_on_every_kind_of_interface(reference: str) -> None:
    check_model(family(reference))


def family(reference: str) -> sb.Model:
    """The model, with little around its mixer."""
    return installed().model(f"{reference} layers=1 width=4 mlp=0")
