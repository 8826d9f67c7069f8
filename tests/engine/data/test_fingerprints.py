"""Fingerprints of data: the same everywhere, different wherever the data are."""

from __future__ import annotations

from dataclasses import replace

import pytest

import synthbench as sb
from synthbench.engine.data import fingerprints
from synthbench.engine.data.fingerprints import data_fingerprints
from synthbench.plan.cell import ReplicaSeeds
from synthbench.registry.registry import installed


@pytest.mark.parametrize("task", ["sparse-parity n=10 k=2", "markov length=8 last=4"])
def test_a_fingerprint_does_not_depend_on_the_neighbours(task, monkeypatch) -> None:
    model = "mlp" if "parity" in task else "transformer"
    cell = sb.Cell(installed().task(task), installed().model(model), sb.Protocol(seeds=7))
    seeds = cell.replica_seeds()
    together = data_fingerprints(cell, seeds)
    assert len(set(together)) == 7
    assert [data_fingerprints(cell, [one])[0] for one in seeds] == together
    monkeypatch.setattr(fingerprints, "DRAWN_AT_ONCE", 3)
    assert data_fingerprints(cell, seeds) == together


def test_every_stream_of_data_is_in_it(small_cell: sb.Cell) -> None:
    base = ReplicaSeeds.same(5)
    own = data_fingerprints(small_cell, [base])
    for stream in ("world", "train", "eval"):
        assert data_fingerprints(small_cell, [replace(base, **{stream: 6})]) != own, stream
    # Neither decides any data.
    assert data_fingerprints(small_cell, [replace(base, init=6, probe=6)]) == own


def test_another_task_or_batch_is_other_data(small_cell: sb.Cell) -> None:
    seeds = [ReplicaSeeds.same(0)]
    own = data_fingerprints(small_cell, seeds)
    noisy = replace(small_cell, task=installed().task("sparse-parity n=10 k=2 noise=0.3"))
    larger = replace(small_cell, model=installed().model("mlp width=16 batch_size=64"))
    assert len({own[0], *data_fingerprints(noisy, seeds), *data_fingerprints(larger, seeds)}) == 3
