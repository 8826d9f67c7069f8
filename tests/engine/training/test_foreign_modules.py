"""Foreign modules against a plain PyTorch loop; alone, in company, and interrupted.

`pytest -m slow` adds modules whose trait is in arithmetic that the engine leaves alone,
and interruptions of states that are kept as others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pyarrow import Table
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
STEPS, BATCH = 6, 32


@pytest.fixture(autouse=True)
def _isolated() -> Iterator[None]:
    with isolated():
        yield


@pytest.fixture(scope="module")
def cell(small_cell: Cell) -> Cell:
    protocol = small_cell.protocol.model_copy(
        update={
            "budget": STEPS * BATCH,
            "evaluation_samples": 128,
            "until": "budget",
            "resolution": 1.0,
        }
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


LONG = (
    "old-style function", "checkpointing", "asks for a device", "closed form", "input made a leaf",
    "constants in a list", "view", "NumPy", "boolean index", "in place",
)  # fmt: skip
"""A plain module is called as it is: these take the way of the plain one."""


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.slow] if k in LONG else []) for k in DETERMINISTIC]
)
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


@pytest.fixture(scope="module")
def pair(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], BlockResult]:
    """Replicas 0 and 1 of a kind, trained without interruption."""

    @cache
    def of(kind: str) -> BlockResult:
        builder, draws = KINDS[kind]
        own = replace(cell, model=model_of(builder))
        return train(own, [0, 1], tmp_path_factory.mktemp("pair"), draws)

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_a_replica_has_the_same_bits_in_any_company(
    kind: str, cell: Cell, pair: Callable[[str], BlockResult], tmp_path: Path
) -> None:
    builder, draws = KINDS[kind]
    own = replace(cell, model=model_of(builder))
    three, two = train(own, [4, 0, 2], tmp_path, draws), pair(kind)
    assert rows(three, 1).equals(rows(two, 0))
    for name, tensor in three.weights.items():
        assert torch.equal(tensor[1], two.weights[name][0]), name


MIDDLE = 3
"""Evaluations are after steps 1, 2, 4 and 6."""


class Interrupt(pl.Callback):
    """Ctrl-C in the middle of the training."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == MIDDLE:
            raise KeyboardInterrupt


KEPT = (
    "schedule in an attribute", "spectral norm", "batch norm", "LSTM with dropout",
    "NumPy's generator",
)  # fmt: skip
"""A number, buffers, random numbers of torch and of others: the rest is kept as these are."""


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[] if k in KEPT else [pytest.mark.slow]) for k in KINDS]
)
def test_an_interrupted_training_ends_at_the_same_bits(
    kind: str, cell: Cell, pair: Callable[[str], BlockResult], tmp_path: Path
) -> None:
    builder, draws = KINDS[kind]
    own, whole = replace(cell, model=model_of(builder)), pair(kind)
    with pytest.raises(KeyboardInterrupt):
        train(own, [0, 1], tmp_path, draws, callbacks=(Interrupt(),))
    assert (tmp_path / "checkpoint").exists()
    resumed = train(own, [0, 1], tmp_path, draws)
    assert resumed.table.equals(whole.table)
    for name, tensor in whole.weights.items():
        assert torch.equal(resumed.weights[name], tensor), name


def test_what_is_drawn_is_drawn_at_every_step(
    cell: Cell, pair: Callable[[str], BlockResult], tmp_path: Path
) -> None:
    """Drawn once and kept, it would be as if it were always, or never, below one half."""
    constant = []
    for draw in (0.0, 1.0):
        own = replace(cell, model=model_of(partial(Drawing, draw=lambda draw=draw: draw)))
        (tmp_path / str(draw)).mkdir()
        weights = train(own, [0], tmp_path / str(draw), Draws(True, True)).weights
        constant.append(weights["first.weight"][0])
    for kind in ("Python's generator", "NumPy's generator"):
        drawn = pair(kind).weights["first.weight"][0]
        assert not any(torch.equal(drawn, each) for each in constant), kind


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


@pytest.fixture(scope="module")
def seen_in_a_stack(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Table:
    probed = replace(cell, probes=(Inside(),), model=Plain())
    with isolated():
        return train(probed, [0, 1], tmp_path_factory.mktemp("stacked"), way=Way.TRACED).table


@pytest.mark.parametrize("kind", ["branches on a value", "lock", "captured layer"])
def test_probes_see_in_plain_modules_what_they_see_in_a_stack(
    kind: str, cell: Cell, seen_in_a_stack: Table, tmp_path: Path
) -> None:
    """Modules of the same function as one that is stacked."""
    own = replace(cell, probes=(Inside(),), model=model_of(DETERMINISTIC[kind]))
    found = train(own, [0, 1], tmp_path).table
    for column in ("inside/hidden", "inside/gradient", "inside/moved"):
        np.testing.assert_allclose(found[column], seen_in_a_stack[column], rtol=1e-4, atol=1e-6)
    assert max(found["inside/moved"].to_pylist()) > 0
