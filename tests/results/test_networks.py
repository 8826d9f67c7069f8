"""Networks that are rebuilt from kept weights compute what the trained modules did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.output import read_output
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose, Stream
from tests.engine.by_hand import by_hand
from tests.engine.foreign import DETERMINISTIC, model_of

STEPS = 4


@pytest.mark.filterwarnings("ignore:.*is deprecated")
@pytest.mark.parametrize(
    "kind",
    [
        "compiled",
        "compiled layer",
        "data parallel",
        "lazy",
        "weight norm",
        "parametrized",
        "pruned",
        "spectral norm",
        "assigned buffer",
        "drawn attribute",
        "mixed precision",
        "half",
    ],
)
def test_a_foreign_network_computes_what_was_trained(
    kind: str, small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    model = model_of(DETERMINISTIC[kind])
    protocol = sb.Protocol(budget=32 * STEPS, seeds=2, until="budget", evaluation_samples=128)
    cell = replace(small_cell, model=model, protocol=protocol)
    (result,) = sb.evaluate_cells([cell], out, replace(settings, keep_weights=True))
    world = cell.task.world(Stream.from_seed(1, Purpose.WORLD))
    x = cell.task.sample(world, Stream.from_seed(1, Purpose.EVAL), 64).x.float()
    trained, output = by_hand(model, cell.task, 1, STEPS).eval(), cell.interface.output
    with torch.no_grad():
        found = read_output(result.network(1)(x), output, 64)
        # Torch's update of bfloat16 weights does not round to the nearest.
        rtol, atol = (0.05, 0.02) if kind == "mixed precision" else (1e-4, 1e-5)
        torch.testing.assert_close(found, read_output(trained(x), output, 64), rtol=rtol, atol=atol)
