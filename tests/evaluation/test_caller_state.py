"""Whatever the caller has switched in torch, the numbers are the same to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import synthbench as sb
from synthbench.leaderboard.verification.rerun import rerun_replicas
from synthbench.listeners.listener import Silent
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.testing import check_model
from tests.isolation.switches import state, switched

SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), keep_weights=True, replicas_per_block=2)
TASK = "sparse-parity n=10 k=2"
KINDS = (
    "autocast", "medium precision", "bfloat16 products", "double", "default device",
    "device context", "gradients switched off", "inference mode", "anomaly detection",
)  # fmt: skip
"""One switch of each kind; that the others are undone as well is told in tests/isolation."""
AT_ONCE = ("double", "medium precision", "autocast", "device context", "inference mode")


@pytest.fixture(autouse=True)
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is in it, and it takes as long as the training here."""
    monkeypatch.setattr("synthbench.evaluation.picture.save_default_picture", lambda *_: None)


def small(model: sb.Model | None = None, budget: int = 320) -> Cell:
    """Two replicas, ten steps."""
    protocol = sb.Protocol(
        budget=budget, seeds=2, until="budget", resolution=1, evaluation_samples=128
    )
    return Cell(installed().task(TASK), model or installed().model("mlp width=16"), protocol)


def trained(cell: Cell, out: Path) -> sb.CellResult:
    return sb.evaluate_cells([cell], out, SETTINGS)[0]


def same_bits(one: sb.CellResult, other: sb.CellResult) -> bool:
    """Of trajectories and weights, and the same said about the environment."""
    first, second = (load_file(each.folder / "weights.safetensors") for each in (one, other))
    return (
        one.measured.trajectories.table.equals(other.measured.trajectories.table)
        and one.record.environment == other.record.environment
        and first.keys() == second.keys()
        and all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    """Where nothing was switched."""
    return trained(small(), tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("switch", KINDS)
def test_training_has_the_same_bits(switch: str, undisturbed: sb.CellResult, out: Path) -> None:
    with switched(switch):
        before = state()
        result = trained(small(), out)
        assert state() == before
    assert same_bits(result, undisturbed)


@pytest.fixture
def everything_switched() -> Iterator[None]:
    with ExitStack() as stack:
        for switch in AT_ONCE:
            stack.enter_context(switched(switch))
        yield


def later(result: sb.CellResult) -> list[Any]:
    """What is made of a finished cell: each builds, runs or draws for networks anew."""
    again = rerun_replicas(small(), [0, 1], "cpu", Silent(), result.record)
    return [
        sb.barrier(result, result, (0, 1), aligned=True, points=3),
        again.trajectories.table.to_pylist(),
        again.data,
        small().task.dataset({"train": 8})["train"].to_list(),
    ]


def test_what_comes_after_training_has_the_same_bits(
    undisturbed: sb.CellResult, request: pytest.FixtureRequest
) -> None:
    plain, plain_network = later(undisturbed), undisturbed.network(1)
    request.getfixturevalue("everything_switched")
    before = state()
    found, network = later(undisturbed), undisturbed.network(1)
    assert state() == before
    assert found == plain
    for one, other in zip(network.parameters(), plain_network.parameters(), strict=True):
        assert one.requires_grad and not one.is_inference()
        assert (one.dtype, one.device) == (other.dtype, other.device)
        assert one.detach().numpy().tobytes() == other.detach().numpy().tobytes()


@pytest.mark.usefixtures("everything_switched")
def test_the_conformance_kit_holds() -> None:
    before = state()
    check_model(small().model, [small().interface])
    assert state() == before


def test_an_error_leaves_everything_as_it_was(out: Path, everything_switched: None) -> None:
    before = state()
    with pytest.raises(sb.SynthbenchError, match="below one batch"):
        trained(small(budget=1), out)
    assert state() == before


def test_threads_train_what_they_would_one_after_the_other(
    undisturbed: sb.CellResult, tmp_path: Path
) -> None:
    narrow = small(installed().model("mlp width=4"))
    cells = [small(), narrow, small(), narrow]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda n: trained(cells[n], tmp_path / str(n)), range(4)))
    assert same_bits(together[0], undisturbed) and same_bits(together[2], undisturbed)
    alone = trained(narrow, tmp_path / "alone")
    assert same_bits(together[1], alone) and same_bits(together[3], alone)


def test_settings_that_are_left_alone_are_in_the_record(
    undisturbed: sb.CellResult, out: Path
) -> None:
    assert "torch_settings" not in undisturbed.record.environment.model_dump()
    torch.use_deterministic_algorithms(True)
    try:
        found = trained(small(), out).record.environment
    finally:
        torch.use_deterministic_algorithms(False)
    assert found.torch_settings == {"deterministic_algorithms": True}
    own = found.model_copy(update={"torch_settings": {}})
    assert own == undisturbed.record.environment
