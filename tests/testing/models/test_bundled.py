"""Every bundled model keeps every law.

On every kind of interface an MLP does, and with `-m slow` each; networks that read a vector as it
does are otherwise tried on one output and on several, the transformer on its four ways to read out:
at every position or at a last token, causal or of the whole sequence. There are more replicas with
`-m slow`.
"""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.testing import check_model
from synthbench.testing.workbench.example_inputs import example_interfaces
from tests.testing.models.few import few
from tests.testing.models.test_sequence_families import FAMILIES, INTERFACES

__all__ = ["few"]

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
SOME = {
    "signs (n=12) -> margin",
    "reals (6) -> margins (n=3)",
    "tokens (vocabulary=3, length=7) -> token logits (vocabulary=3, length=7)",
    "tokens (vocabulary=3, length=7) -> "
    "token logits of the whole sequence (vocabulary=3, length=7)",
    "real vectors (length=7, size=2) -> "
    "token logits of the whole sequence (vocabulary=3, length=7)",
    "real vectors (length=7, size=2) -> causal value (7 x 2)",
}
"""Of the example interfaces of models."""


def test_some_of_the_interfaces_are_examples() -> None:
    """One that none of the models is tried on would leave a way to read out untried."""
    every = {
        interface.describe()
        for reference in MODELS
        for interface in example_interfaces(installed().model(reference))
    }
    assert every >= SOME


def test_the_list_covers_every_bundled_model() -> None:
    bundled = set(installed().bundled(MODEL))
    assert bundled == {reference.split()[0] for reference in MODELS + FAMILIES}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("reference", MODELS)
def test_bundled_models_keep_every_law(reference: str) -> None:
    model = installed().model(reference)
    tried = [each for each in example_interfaces(model) if each.describe() in SOME]
    check_model(model, () if reference.startswith("mlp") else tried)


@pytest.mark.slow
@pytest.mark.parametrize("reference", MODELS)
def test_bundled_models_keep_every_law_on_every_kind_of_interface(reference: str) -> None:
    check_model(installed().model(reference))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("interfaces", [INTERFACES[:1], pytest.param((), marks=pytest.mark.slow)])
def test_two_layers_keep_every_law(interfaces: tuple[sb.Interface, ...]) -> None:
    """Without interfaces, on those of every kind."""
    check_model(installed().model("transformer layers=2 width=8"), interfaces)


@pytest.mark.usefixtures("few")
def test_dropout_keeps_every_law() -> None:
    check_model(installed().model("transformer layers=1 width=4 mlp=1 dropout=0.1"), INTERFACES[:1])
