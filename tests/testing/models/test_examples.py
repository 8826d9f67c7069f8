"""Which interfaces a model is tried on, with its own ports and with others'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.testing import check_model
from synthbench.testing.models.check import model_examination
from synthbench.testing.workbench.example_inputs import example_batch, example_interfaces
from synthbench.testing.workbench.example_network import ExampleNetwork
from tests.testing.models.few import few

__all__ = ["few"]


@dataclass(frozen=True)
class Grid(sb.Port):
    """A third party's input."""

    side: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.side, self.side)

    def describe(self) -> str:
        return f"grid (side={self.side})"


class TriedGrid(Grid):
    """One with an example."""

    @classmethod
    def examples(cls) -> tuple[sb.Port, ...]:
        return (cls(3),)


class Flat(nn.Module):
    """A linear map of all numbers."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.map = nn.Linear(numbers, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x.flatten(1)).squeeze(-1)


class OnGrids(sb.Model):
    """Reads grids."""

    name: ClassVar[str] = "on-grids"
    inputs = (Grid,)
    outputs = (sb.Margin, sb.Value)

    def check_accepts(self, interface: sb.Interface) -> None:
        super().check_accepts(interface)
        if interface.output.shape:
            raise sb.InterfaceError("one number")

    def build(self, interface: sb.Interface) -> nn.Module:
        return Flat(torch.Size(interface.input.shape).numel())


class OnTriedGrids(OnGrids):
    """Reads grids of which an example is known."""

    inputs = (TriedGrid,)


class OnBoth(OnGrids):
    """Reads signs too."""

    inputs = (Grid, sb.Signs)


@pytest.mark.usefixtures("few")
def test_a_third_partys_port_is_tried_by_its_example() -> None:
    grid = TriedGrid(3)
    expected = (sb.Interface(grid, sb.Margin()), sb.Interface(grid, sb.Value()))
    assert example_interfaces(OnTriedGrids()) == expected
    assert check_model(OnTriedGrids()).facts["replicas"] == "traced"


@pytest.mark.usefixtures("few")
def test_a_port_without_examples_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"port Grid brings no examples; give it the"):
        example_interfaces(OnGrids())
    named = model_examination(OnBoth()).trial.facts["not tried"]
    assert named == "Grid: the port brings no examples()"
    check_model(OnGrids(), [sb.Interface(Grid(2), sb.Margin())])


@pytest.mark.parametrize("name", ["mlp", "transformer"])
def test_every_kind_that_a_bundled_model_declares_is_tried(name: str) -> None:
    model = installed().model(name)
    found = example_interfaces(model)
    assert {type(i.input) for i in found} == set(model.inputs)
    assert {type(i.output) for i in found} == set(model.outputs)
    assert all(i.output.positions in (None, i.input.shape[0]) for i in found)


def test_the_examples_of_earlier_versions_are_the_same() -> None:
    signs = example_batch(sb.Interface(sb.Signs(3), sb.Margin()), 0, 2)
    tokens = example_batch(sb.Interface(sb.Tokens(3, 4), sb.TokenLogits(3, 4)), 0, 2)
    assert (signs.x.tolist(), signs.y.tolist()) == (
        [[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]],
        [-1.0, -1.0],
    )
    assert (tokens.x.tolist(), tokens.y.tolist()) == (
        [[2, 2, 0, 1], [2, 1, 1, 1]],
        [[0, 0, 0, 0], [0, 1, 2, 1]],
    )


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("interface", example_interfaces(ExampleNetwork()), ids=repr)
def test_the_kits_network_keeps_every_law_on_every_kind(interface: sb.Interface) -> None:
    check_model(ExampleNetwork(width=8), [interface])


@pytest.mark.parametrize(
    "given", [sb.Tokens(3, 7), sb.RealSequence(7, 2), sb.Signs(7), sb.Reals(7, 2, 2)], ids=repr
)
@pytest.mark.parametrize(
    "wanted",
    [sb.TokenLogits(4, 7), sb.Value(7, 2, causal=True), sb.Margins(7, causal=True)],
    ids=repr,
)
def test_the_kits_network_sees_nothing_of_what_comes_later(given: sb.Port, wanted: sb.Port) -> None:
    interface = sb.Interface(given, wanted)
    network = ExampleNetwork().build(interface)
    x, other = example_batch(interface, 0, 5).x, example_batch(interface, 1, 5).x
    changed = torch.cat([x[:, :4], other[:, 4:]], dim=1)
    assert network(x).shape == (5, *wanted.shape)
    assert torch.equal(network(x)[:, :4], network(changed)[:, :4])
    assert not torch.equal(network(x)[:, 4:], network(changed)[:, 4:])
