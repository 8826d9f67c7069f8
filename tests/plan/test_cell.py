"""Seeds of a cell, same or crossed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed


def make(**protocol: int) -> sb.Cell:
    registry = installed()
    return sb.Cell(
        registry.task("sparse-parity n=10 k=2"), registry.model("mlp width=8"),
        sb.Protocol(budget=640, evaluation_samples=256, **protocol),
    )  # fmt: skip


def test_crossed_seeds_combine_every_initialization_with_every_data_stream() -> None:
    seeds = make(seeds=12, initializations=3, first_seed=5).replica_seeds()
    assert [(s.init, s.train) for s in seeds] == [
        (5 + i, 5 + j) for i in range(3) for j in range(4)
    ]
    assert {(s.world, s.eval, s.probe) for s in seeds} == {(5, 5, 5)}


@pytest.mark.parametrize("initializations", [5, 7, 12])
def test_seeds_that_do_not_make_a_rectangle_are_refused(initializations: int) -> None:
    with pytest.raises(ConfigurationError, match="times the number of data streams") as refused:
        make(seeds=12, initializations=initializations).check()
    advised = int(str(refused.value).rsplit("= ", 1)[1])
    make(seeds=advised, initializations=initializations).check()


def test_rows_share_their_weights_and_columns_their_data(tmp_path) -> None:
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=4)
    (result,) = sb.evaluate_cells([make(seeds=4, initializations=2)], tmp_path, settings)
    first, second, third, fourth = result.measured.trajectories.by_replica("loss")
    # Before training, a loss on the shared held-out samples is a function of the weights.
    assert first[0] == second[0] and third[0] == fourth[0] and first[0] != third[0]
    assert first[-1] != second[-1]
    assert (
        len({tuple(sorted(r.references["optimal"].items())) for r in result.record.replicas}) == 1
    )
    alone = sb.evaluate_cells([make(seeds=2)], tmp_path / "alone", settings)[0]
    # Replica 0 is the same training in both designs.
    assert np.array_equal(alone.measured.trajectories.by_replica("loss")[0], first)


def test_labels_tell_apart_what_cells_stand_on() -> None:
    """Another width, temperature, share or scope is another cell, so it is another label."""
    own, wide = make(), replace(make(), model=installed().model("mlp width=200"))
    sources = [
        {"teacher": sb.Teacher(own)},
        {"teacher": sb.Teacher(wide)},
        {"teacher": sb.Teacher(own, temperature=2.0, hard=0.5)},
        {"mask": sb.Mask(own, 0, sparsity=0.8, scope="layer")},
        {"start": sb.Weights(replace(own, mask=sb.Mask(own)), 0)},
    ]
    assert [replace(own, **on).label().removeprefix(own.label() + " ") for on in sources] == [
        "teacher=mlp@last",
        "teacher=(mlp width=200)@last",
        "teacher=mlp@last temperature=2 hard=0.5",
        "mask=mlp@0-0.8-layer",
        f"start=({own.label()} mask=mlp@last-0.5)@0",
    ]
