"""A bare module is examined as one that a plugin brings, but for what it does not say of itself."""

from __future__ import annotations

import random

import pytest
from torch import Tensor, nn

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.testing import MODEL_LAWS, ConformanceError, check_model
from tests.testing.models.few import few

__all__ = ["few"]

SIGNS = sb.Interface(sb.Signs(6), sb.Margin())


class MyNet(nn.Module):
    """An ordinary module for six signs."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Centered(MyNet):
    """It subtracts the mean over the batch."""

    def forward(self, x: Tensor) -> Tensor:
        output = super().forward(x)
        return output - output.mean()


class Skips(MyNet):
    """It cannot be stacked."""

    def forward(self, x: Tensor) -> Tensor:
        skipped = self.training and random.random() < 0.5
        return super().forward(x) * (0.5 if skipped else 1)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("builder", [MyNet, lambda: MyNet(4)], ids=["class", "function"])
def test_a_class_or_a_function_is_examined_by_all_laws_but_those_of_declarations(
    builder: object,
) -> None:
    report = check_model(builder, [SIGNS])
    judged = {verdict.law.name for verdict in report.verdicts}
    assert {law.name for law in MODEL_LAWS} - judged == {
        "name-and-docstring",
        "config-round-trips",
        "takes-shorter",
    }
    assert report.facts["replicas"] == "traced"


def test_a_bare_module_that_trains_plain_is_judged_so() -> None:
    found = check_model(Skips, [SIGNS]).facts["replicas"]
    assert found.startswith("plain: its forward pass draws from a global generator")


def test_a_bare_module_breaks_laws_like_any() -> None:
    with pytest.raises(ConformanceError, match=r"^centered code=\w+ breaks 1 law\n\nexamples-do"):
        check_model(Centered, [SIGNS])


def test_a_bare_module_without_an_interface_is_asked_for_a_task() -> None:
    with pytest.raises(ConfigurationError, match=r'"my-net" is a bare module.*interfaces=\[task'):
        check_model(MyNet)


def test_a_module_that_is_built_already_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="pass the class"):
        check_model(MyNet(), [SIGNS])
