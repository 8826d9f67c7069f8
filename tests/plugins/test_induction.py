"""Induction copying against a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream


def test_the_answer_follows_the_latest_previous_occurrence() -> None:
    task = installed().task("induction-copying symbols=5 length=16")
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    batch = task.sample(world, Stream.from_seed(0, Purpose.TRAIN), 500)
    for x, y in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        latest = max(i for i in range(15) if x[i] == x[-1])
        assert y[-1] == x[latest + 1] and y[:-1] == x[1:]
    references = task.references(world, batch)
    found = {name: task.score(output, batch)["accuracy"] for name, output in references.items()}
    assert found["optimal"] == 1 and found["trivial"].item() == pytest.approx(1 / 5)
    assert 0.2 < found["most-frequent"] < 0.45
    counts = np.bincount(batch.x[:, :-1].flatten(), minlength=5)
    assert counts.min() > 0.9 * counts.mean()


def test_the_last_loss_is_the_default_and_ignores_the_rest() -> None:
    task = installed().task("induction-copying")
    batch = task.sample(torch.zeros(0), Stream.from_seed(0, Purpose.TRAIN), 4)
    output = torch.randn(4, 32, 8, generator=torch.Generator().manual_seed(0))
    losses = task.losses()
    assert next(iter(losses)) == "last"
    changed = output.clone()
    changed[:, :-1] = 0
    assert losses["last"](output, batch) == losses["last"](changed, batch)
    assert losses["cross-entropy"](output, batch) != losses["cross-entropy"](changed, batch)
