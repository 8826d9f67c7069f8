"""Ports: their shapes, their words, and the examples that the kit makes of them."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.streams import Purpose, Stream

WORDS = [
    (sb.Signs(40), (40,), "signs (n=40)"),
    (sb.Margin(), (), "margin"),
    (sb.Tokens(2, 100), (100,), "tokens (vocabulary=2, length=100)"),
    (sb.TokenLogits(2, 100), (100, 2), "token logits (vocabulary=2, length=100)"),
    (
        sb.TokenLogits(2, 100, causal=False),
        (100, 2),
        "token logits of the whole sequence (vocabulary=2, length=100)",
    ),
    (sb.Reals(3, 8), (3, 8), "reals (3 x 8)"),
    (sb.RealSequence(20, 5), (20, 5), "real vectors (length=20, size=5)"),
    (sb.Margins(8), (8,), "margins (n=8)"),
    (sb.Margins(8, causal=True), (8,), "causal margins (n=8)"),
    (sb.ClassLogits(10), (10,), "class logits (classes=10)"),
    (sb.Value(), (), "value (1)"),
    (sb.Value(20, 3, causal=True), (20, 3), "causal value (20 x 3)"),
]
PORTS = [example for port, _, _ in WORDS for example in type(port).examples()]


@pytest.mark.parametrize(("port", "shape", "words"), WORDS)
def test_shape_and_words(port: sb.Port, shape: tuple[int, ...], words: str) -> None:
    assert port.shape == shape and port.describe() == words


@pytest.mark.parametrize("port", [port for port, _, _ in WORDS], ids=repr)
def test_written_as_it_prints_it_is_the_same(port: sb.Port) -> None:
    names = {name: getattr(sb, name) for name in ("Reals", "Value")}
    again = eval(repr(port), {type(port).__name__: type(port), **names})
    assert again == port and hash(again) == hash(port)


def test_what_differs_is_not_equal() -> None:
    assert len({port for port, _, _ in WORDS}) == len(WORDS)
    assert sb.Reals(2) != sb.Value(2)


def test_causal_outputs_have_positions() -> None:
    causal = [port.describe() for port, _, _ in WORDS if port.causal]
    assert causal == [
        "token logits (vocabulary=2, length=100)",
        "causal margins (n=8)",
        "causal value (20 x 3)",
    ]
    assert all(port.positions == port.shape[0] for port, _, _ in WORDS if port.causal)
    assert sb.Tokens(2, 9).positions == 9 and sb.RealSequence(9, 2).positions == 9
    assert sb.Value(2).positions is None and sb.Signs(3).positions is None
    with pytest.raises(ConfigurationError, match="needs positions"):
        sb.Value(causal=True)


@pytest.mark.parametrize("port", PORTS, ids=repr)
def test_losses_take_the_labels(port: sb.Port) -> None:
    output = torch.randn(5, *port.shape)
    for loss in port.losses().values():
        value = loss(output, sb.Batch(output, port.labels(Stream.from_seed(0, Purpose.TEST), 5)))
        assert value.shape == () and value.isfinite()


@pytest.mark.parametrize("port", PORTS, ids=repr)
def test_drawn_values_have_the_shape(port: sb.Port) -> None:
    assert port.draw(Stream.from_seed(0, Purpose.TEST), 5).shape == (5, *port.shape)


def test_a_third_partys_port_needs_shape_and_words_alone() -> None:
    class Grid(sb.Port):
        @property
        def shape(self) -> tuple[int, ...]:
            return (2, 2)

        def describe(self) -> str:
            return "grid"

    grid, rng = Grid(), Stream.from_seed(0, Purpose.TEST)
    assert grid.draw(rng, 3).shape == grid.labels(rng, 3).shape == (3, 2, 2)
    assert not grid.causal and grid.positions is None and Grid.examples() == ()
    y = torch.ones(3, 2, 2)
    assert float(grid.losses()["square"](torch.zeros(3, 2, 2), sb.Batch(y, y))) == 1
