"""What is found out, and refused, before anything trains."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.errors import ConfigurationError, InterfaceError
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed


def test_flops_and_parameters_of_a_two_layer_network(small_cell: Cell) -> None:
    facts = inspect_cell(small_cell)
    batch, n, width = 32, 10, 16
    forward = 2 * batch * (n * width + width)
    # Backward: weight gradients of both layers, and the input gradient of the second only.
    backward = 2 * batch * (n * width + 2 * width)
    assert facts.step_flops == forward + backward
    assert facts.parameters == n * width + width + width + 1
    assert facts.ways.loop_reason is None


class Tokens(sb.Port):
    """An input the MLP does not take."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (5,)

    def describe(self) -> str:
        return "tokens (T=5)"


def test_a_model_that_cannot_take_the_task_is_refused() -> None:
    model = installed().model("mlp")
    with pytest.raises(InterfaceError, match=r"its input must be Signs.*, the task's is Tokens: "):
        model.check_accepts(sb.Interface(Tokens(), sb.Margin()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 31}, "budget = 31 samples is below one batch of 32"),
        ({"evaluation_samples": 100}, "must be a multiple of evaluation_batch = 128"),
        ({"budget": 2**40}, "at most 2\\^32 - 1 steps"),
    ],
)
def test_protocols_that_cannot_be_run_are_refused(
    small_cell: Cell, changes: dict, message: str
) -> None:
    protocol = small_cell.protocol.model_copy(update=changes)
    with pytest.raises(ConfigurationError, match=message):
        replace(small_cell, protocol=protocol).check()


class Lstm(nn.Module):
    """Torch's own, whose kernel hides its products from the counter."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.readout = nn.Embedding(3, 8), nn.Linear(16, 3)
        self.lstm = nn.LSTM(8, 16, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.lstm(self.embedding(x))[0])


def test_flops_of_a_recurrent_network() -> None:
    protocol = sb.Protocol(budget=640, seeds=2, evaluation_samples=256, evaluation_batch=256)
    task = installed().task("markov symbols=3 length=10")
    recipe = sb.Recipe(batch_size=32)
    facts = inspect_cell(Cell(task, sb.as_model(Lstm, recipe), protocol))
    tokens = 32 * 10
    layer = 2 * tokens * (8 + 16) * 4 * 16
    readout = 2 * tokens * 16 * 3
    # Twice as much backwards, for weights and inputs.
    assert facts.step_flops == 3 * (layer + readout)
