"""Every bundled model keeps every law."""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.testing import check_model
from tests.testing.models.test_sequence_families import FAMILIES, INTERFACES

MODELS = [
    "mlp width=8",
    "residual-mlp width=8",
    "moe-mlp experts=3 width=4",
    "moe-mlp experts=3 width=4 top=2",
    "kan width=4 grid=3",
    "polynet",
    "sine-neuron",
    "transformer layers=1 width=4 mlp=1 positions=absolute",
    "simplified-transformer",
]


def test_the_list_covers_every_bundled_model() -> None:
    bundled = set(installed().bundled(MODEL))
    assert bundled == {reference.split()[0] for reference in MODELS + FAMILIES}


@pytest.mark.parametrize("reference", MODELS)
def test_bundled_models_keep_every_law(reference: str) -> None:
    check_model(installed().model(reference))


@pytest.mark.parametrize("interfaces", [INTERFACES, pytest.param((), marks=pytest.mark.slow)])
def test_two_layers_keep_every_law(interfaces: tuple[sb.Interface, ...]) -> None:
    """Without interfaces, on those of every kind."""
    check_model(installed().model("transformer layers=2 width=8"), interfaces)


def test_dropout_keeps_every_law() -> None:
    model = installed().model("transformer layers=1 width=4 mlp=1 dropout=0.1")
    sequences = sb.Interface(sb.Tokens(3, 7), sb.TokenLogits(3, 7))
    check_model(model, [sequences, sb.Interface(sb.Signs(6), sb.Margin())])
