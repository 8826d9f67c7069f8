"""Training on a GPU: as on CPU to rounding, as without graphs to the bit, and never waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.training import replica_training
from synthbench.engine.training.chunks import Chunk
from synthbench.engine.training.cuda_graphs import GraphCapture, GraphUse
from synthbench.engine.training.stepping import Stepping
from tests.cuda.cells import CELLS, ON_GPU, assert_same, cell_of, rows, train
from tests.engine.authored import Exploding

pytestmark = ON_GPU
BAND, MEDIAN_BAND = 1e-2, 1e-4
"""How far losses may be from the CPU's over the first 100 steps: rounding, grown by training."""
FIRST_BAND = 1e-5
"""The same before the first step: rounding of one forward pass."""


@pytest.mark.parametrize("name", ["mlp", "adamw", "transformer"])
def test_losses_stay_within_a_band_of_the_cpus_over_100_steps(name: str, tmp_path: Path) -> None:
    cell = cell_of(name, steps=100)
    here = train(cell, tmp_path / "cpu", "cpu").table.to_pandas()
    there = train(cell, tmp_path / "gpu").table.to_pandas()
    assert here[["replica", "step"]].equals(there[["replica", "step"]])
    assert here["step"].max() == 100
    far = np.abs(here["loss"] - there["loss"]) / here["loss"].clip(lower=1)
    print(
        f"{name}: losses differ by up to {far.max():.1e}, at first by {far[here.step == 0].max()}"
    )
    assert far.max() <= BAND and far.median() <= MEDIAN_BAND
    assert far[here["step"] == 0].max() <= FIRST_BAND
    assert here["loss"].std() > 100 * MEDIAN_BAND, "there was something to differ by"


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("train_samples", [None, 256])
def test_graphs_give_the_bits_of_single_launches(
    name: str, train_samples: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = cell_of(name, train_samples=train_samples)
    graphs = train(cell, tmp_path / "graphs")
    assert graphs.graphs is True
    monkeypatch.setattr(replica_training, "graph_capture", lambda *_: None)
    eager = train(cell, tmp_path / "eager")
    assert eager.graphs is None
    assert_same(train(cell, tmp_path / "again"), eager, "eager twice")
    assert_same(graphs, eager, "graphs and eager")


def test_a_stack_that_narrows_is_captured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = cell_of("mlp", steps=1500, until="solved", hold=1, seeds=9)
    uses: list[GraphUse] = []
    begin = GraphUse.begin

    def noting(self: GraphUse, capture: GraphCapture | None) -> GraphCapture | None:
        uses.append(self)
        return begin(self, capture)

    monkeypatch.setattr(GraphUse, "begin", noting)
    graphs = train(cell, tmp_path / "graphs")
    assert len(uses) > 1, "it was narrowed"
    assert graphs.graphs is True and uses[0].failure is None
    monkeypatch.setattr(replica_training, "graph_capture", lambda *_: None)
    assert_same(graphs, train(cell, tmp_path / "eager"), "narrowed")


@pytest.mark.parametrize("captured", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_the_host_waits_for_nothing_within_a_chunk(
    name: str, captured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks: list[Chunk] = []
    run = Stepping.run

    def watched(self: Stepping, chunk: Chunk, losses: Tensor) -> Tensor:
        chunks.append(chunk)
        if len(chunks) == 1:
            return run(self, chunk, losses)
        torch.cuda.set_sync_debug_mode("error")
        try:
            return run(self, chunk, losses)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(Stepping, "run", watched)
    if not captured:
        monkeypatch.setattr(replica_training, "graph_capture", lambda *_: None)
    cell = cell_of(name, train_samples=256 if name == "adamw" else None)
    result = train(cell, tmp_path / "watched")
    assert result.graphs is (True if captured else None)
    assert len(chunks) > 5 and chunks[-1].stop > 64, "windows were drawn among them"


def test_what_cannot_be_captured_trains_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = cell_of("mlp")
    graphs = train(cell, tmp_path / "graphs")

    class Asking(GraphCapture):
        def __call__(self, work):  # type: ignore[no-untyped-def]
            value = torch.ones(1, device="cuda")

            def asks() -> None:
                value.item()
                work()

            return super().__call__(asks)

    uses: list[Asking] = []

    def asking(*_: object) -> Asking:
        uses.append(Asking())
        return uses[-1]

    monkeypatch.setattr(replica_training, "graph_capture", asking)
    eager = train(cell, tmp_path / "asking")
    print("the reason that is given:", uses[0].failure)
    assert uses[0].failure and eager.graphs is False
    assert_same(eager, graphs, "after a failed capture")


@pytest.mark.parametrize("name", ["mlp", "transformer"])
def test_neighbours_do_not_matter_at_one_width(name: str, tmp_path: Path) -> None:
    cell = cell_of(name)
    one = train(cell, tmp_path / "one", seeds=[0, 1, 2, 3, 4, 5, 6, 7])
    other = train(cell, tmp_path / "other", seeds=[9, 5, 8, 3, 11, 10, 12, 0])
    for seed, place in ((5, 1), (3, 3), (0, 7)):
        assert rows(one, seed).equals(rows(other, place)), f"seed {seed}"
        for key in one.weights:
            assert torch.equal(one.weights[key][seed], other.weights[key][place]), key


def test_neighbours_of_a_diverging_replica_do_not_notice(tmp_path: Path) -> None:
    base = cell_of("mlp")
    good = train(replace(base, model=Exploding(factor=1)), tmp_path / "good")
    bad = train(replace(base, model=Exploding(factor=1e37)), tmp_path / "bad")
    assert 0 < sum(bad.diverged) < 8 and not any(good.diverged)
    for r in range(8):
        assert bad.diverged[r] or rows(bad, r).equals(rows(good, r))


def test_half_precision_under_autocast_is_captured(tmp_path: Path) -> None:
    result = train(cell_of("transformer", precision="bf16-mixed"), tmp_path / "half")
    assert result.graphs is True and not any(result.diverged)
    full = train(cell_of("transformer"), tmp_path / "full")
    assert any(not torch.equal(w, full.weights[name]) for name, w in result.weights.items())


def test_the_record_says_how_it_was_computed(tmp_path: Path) -> None:
    settings = sb.Settings(sb.TrainerOptions("gpu"), replicas_per_block=8)
    record = sb.evaluate_cells([cell_of("mlp")], tmp_path, settings)[0].record
    assert record.environment.device == "cuda"
    assert record.environment.tf32 == ("convolution",), "torch's default"
    assert record.compute.cuda_graphs is True
