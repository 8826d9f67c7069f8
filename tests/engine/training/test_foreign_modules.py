"""Foreign modules against a plain PyTorch loop; alone, in company, and interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.axis.way import NOTHING_DRAWN, Draws, Execution, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.isolation import isolated
from synthbench.plan.cell import Cell, ReplicaSeeds
from tests.engine.authored import Normalized, Plain
from tests.engine.by_hand import by_hand
from tests.engine.foreign import DETERMINISTIC, DRAWING, Builder, Drawing, model_of
from tests.engine.test_replica_independence import rows

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated")
STEPS, BATCH = 8, 32


@pytest.fixture(autouse=True)
def _isolated() -> Iterator[None]:
    with isolated():
        yield


@pytest.fixture(scope="module")
def cell(small_cell: Cell) -> Cell:
    protocol = small_cell.protocol.model_copy(
        update={"budget": STEPS * BATCH, "evaluation_samples": 128, "until": "budget"}
    )
    return replace(small_cell, protocol=protocol)


def train(
    cell: Cell,
    seeds: list[int],
    folder: Path,
    draws: Draws = NOTHING_DRAWN,
    way: Way = Way.PLAIN,
    callbacks: tuple[pl.Callback, ...] = (),
) -> BlockResult:
    """Train a block, or continue where it was interrupted."""
    block = Block(0, tuple(ReplicaSeeds.same(seed) for seed in seeds), len(seeds))
    options = TrainerOptions("cpu", callbacks, checkpoint_seconds=0)
    return train_block(cell, block, options, Execution(way, draws), folder / "checkpoint")


@pytest.mark.parametrize("kind", DETERMINISTIC)
def test_weights_and_buffers_are_those_of_a_plain_loop(
    kind: str, cell: Cell, tmp_path: Path
) -> None:
    # Torch's update of bfloat16 weights does not round to the nearest.
    rtol, atol = (0.05, 0.02) if kind == "mixed precision" else (1e-4, 1e-6)
    model = model_of(DETERMINISTIC[kind])
    found = train(replace(cell, model=model), [0, 1], tmp_path).weights
    for seed in (0, 1):
        module = by_hand(model, cell.task, seed, STEPS)
        expected = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for name, tensor in found.items():
            torch.testing.assert_close(
                tensor[seed], expected[name].detach(), rtol=rtol, atol=atol, msg=f"{kind}: {name}"
            )


KINDS: dict[str, tuple[Builder, Draws]] = {
    **{
        kind: (DETERMINISTIC[kind], Draws())
        for kind in ("schedule in an attribute", "assigned buffer", "spectral norm", "cached mask")
    },
    "batch norm": (lambda n: Normalized().build(sb.Interface(sb.Signs(n), sb.Margin())), Draws()),
    **{kind: (builder, Draws(True, True)) for kind, builder in DRAWING.items()},
}
"""Kinds with a state of their own, or random numbers."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_replica_has_the_same_bits_in_any_company(kind: str, cell: Cell, tmp_path: Path) -> None:
    builder, draws = KINDS[kind]
    own = replace(cell, model=model_of(builder))
    (tmp_path / "alone").mkdir()
    together = train(own, [4, 0, 2], tmp_path, draws)
    alone = train(own, [0], tmp_path / "alone", draws)
    assert rows(together, 1).equals(rows(alone, 0))
    for name, tensor in together.weights.items():
        assert torch.equal(tensor[1], alone.weights[name][0]), name


class Interrupt(pl.Callback):
    """Ctrl-C in the middle of the training."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == STEPS // 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_training_ends_at_the_same_bits(
    kind: str, cell: Cell, tmp_path: Path
) -> None:
    builder, draws = KINDS[kind]
    own = replace(cell, model=model_of(builder))
    (tmp_path / "whole").mkdir()
    whole = train(own, [0, 1], tmp_path / "whole", draws)
    with pytest.raises(KeyboardInterrupt):
        train(own, [0, 1], tmp_path, draws, callbacks=(Interrupt(),))
    assert (tmp_path / "checkpoint").exists()
    resumed = train(own, [0, 1], tmp_path, draws)
    assert resumed.table.equals(whole.table)
    for name, tensor in whole.weights.items():
        assert torch.equal(resumed.weights[name], tensor), name


@pytest.mark.parametrize("kind", ["Python's generator", "NumPy's generator"])
def test_what_is_drawn_is_drawn_at_every_step(kind: str, cell: Cell, tmp_path: Path) -> None:
    """Drawn once and kept, it would be as if it were always, or never, below one half."""
    found = []
    builders = {
        "drawn": DRAWING[kind],
        "always": partial(Drawing, draw=lambda: 0.0),
        "never": partial(Drawing, draw=lambda: 1.0),
    }
    for name, builder in builders.items():
        (tmp_path / name).mkdir()
        own = replace(cell, model=model_of(builder))
        weights = train(own, [0], tmp_path / name, Draws(True, True)).weights
        found.append(weights["first.weight"])
    assert not torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


class Inside(sb.Probe):
    """What the first layer computes, how far it has moved, and the norm of a gradient."""

    name: ClassVar[str] = "inside"

    def measure(self, view: sb.View) -> dict[str, Tensor]:
        def loss(parameters: Mapping[str, Tensor]) -> Tensor:
            return view.loss(view.forward(parameters, view.batch.x), view.batch)

        hidden = view.record(view.parameters, view.batch.x).outputs["first"]
        gradient = torch.func.grad(loss)(dict(view.parameters))["second.weight"]
        moved = view.parameters["first.weight"] - view.initial["first.weight"]
        return {"hidden": hidden.abs().mean(), "gradient": gradient.norm(), "moved": moved.norm()}


@pytest.mark.parametrize("kind", ["branches on a value", "lock", "captured layer"])
def test_probes_see_in_plain_modules_what_they_see_in_a_stack(
    kind: str, cell: Cell, tmp_path: Path
) -> None:
    """Modules of the same function as one that is stacked."""
    probed = replace(cell, probes=(Inside(),))
    own = replace(probed, model=model_of(DETERMINISTIC[kind]))
    (tmp_path / "stacked").mkdir()
    found = train(own, [0, 1], tmp_path).table
    expected = train(replace(probed, model=Plain()), [0, 1], tmp_path / "stacked", way=Way.TRACED)
    for column in ("inside/hidden", "inside/gradient", "inside/moved"):
        np.testing.assert_allclose(found[column], expected.table[column], rtol=1e-4, atol=1e-6)
    assert max(found["inside/moved"].to_pylist()) > 0
