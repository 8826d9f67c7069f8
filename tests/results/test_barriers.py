"""Barriers against what is known of them: permuted copies, a quadratic loss, chains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import synthbench as sb
from synthbench.errors import ConfigurationError, ModelError, RecordError
from synthbench.hashing import file_hash
from synthbench.results.alignment import Layer, linear_chain, match_units, permuted

TASK = "sparse-parity n=8 k=2"


class Deep(nn.Module):
    """Two hidden layers; the last axis of size one goes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, 1)
        )

    def forward(self, x):
        return self.layers(x).squeeze(-1)


class Residual(nn.Module):
    """Square layers whose sizes form a chain, and a connection past them that does not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, 1)

    def forward(self, x):
        hidden = self.first(x)
        return self.last(hidden + self.second(hidden).relu()).squeeze(-1)


class Normed(nn.Sequential):
    """Something beside linear layers."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(8, 4), nn.LayerNorm(4), nn.Linear(4, 1), nn.Flatten(0))


def trained(model, out: Path, settings: sb.Settings, budget: int = 640) -> sb.CellResult:
    protocol = sb.Protocol(budget=budget, seeds=2, until="budget", evaluation_samples=256)
    kept = replace(settings, keep_weights=(0,))
    return sb.evaluate(TASK, model, protocol=protocol, out=out, settings=kept)


@pytest.fixture(scope="module")
def deep(settings: sb.Settings, tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    return trained(Deep, tmp_path_factory.mktemp("deep"), settings, 4_800)


def permuted_copy(result: sb.CellResult, folder: Path, replica: int) -> sb.CellResult:
    """A finished cell whose replica has its hidden units in another order."""
    folder.mkdir()
    for path in result.folder.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "weights.safetensors")
    layers = linear_chain(result.network(replica))
    own = {name: tensor[replica] for name, tensor in weights.items()}
    generator = torch.Generator().manual_seed(3)
    orders = [
        torch.randperm(own[layer.weight].shape[0], generator=generator) for layer in layers[:-1]
    ]
    for name, tensor in permuted(own, layers, orders).items():
        weights[name][replica] = tensor
    save_file(weights, folder / "weights.safetensors")
    digest = file_hash(folder / "weights.safetensors")
    files = {**result.record.files, "weights.safetensors": digest}
    record = result.record.model_copy(update={"files": files})
    return replace(result, measured=type(result.measured)(record, folder))


def test_a_network_and_itself_have_no_barrier(deep: sb.CellResult) -> None:
    for aligned in (False, True):
        line = sb.barrier(deep, deep, (1, 1), aligned=aligned)
        assert line.height < 1e-6 and len(line.losses) == len(line.scores) == 11
    rows = deep.trajectories.to_pandas()
    last = rows[rows.replica == 1].iloc[-1]
    assert line.losses[0] == pytest.approx(last["loss"], rel=1e-5, abs=1e-7)
    assert line.score == "accuracy" and line.scores[0] == pytest.approx(last["accuracy"])


def test_a_permuted_copy_has_one_until_it_is_aligned(deep: sb.CellResult, tmp_path: Path) -> None:
    copy = permuted_copy(deep, tmp_path / "copy", 0)
    apart = sb.barrier(deep, copy, (0, 0))
    assert apart.losses[0] == pytest.approx(apart.losses[-1], abs=1e-5)
    assert apart.height > 0.1
    assert sb.barrier(deep, copy, (0, 0), aligned=True).height < 1e-6
    assert apart.height == max(
        loss - apart.losses[0] for loss in apart.losses
    ) or apart.height == pytest.approx(max(apart.losses) - apart.losses[0], abs=1e-5)


def test_alignment_never_raises_what_two_networks_agree_on(deep: sb.CellResult) -> None:
    layers = linear_chain(deep.network(0))
    first, second = (dict(deep.network(r).state_dict()) for r in (0, 1))
    aligned = permuted(second, layers, match_units(first, second, layers))

    def distance(other: dict[str, torch.Tensor]) -> float:
        return sum(float((first[n] - other[n]).square().sum()) for n in first)

    assert distance(aligned) < distance(second)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_matching_finds_any_permutation(depth: int) -> None:
    generator = torch.Generator().manual_seed(depth)
    sizes = [5, *[12] * depth, 3]
    layers = [Layer(f"{i}.weight", f"{i}.bias") for i in range(depth + 1)]
    weights = {}
    for i, layer in enumerate(layers):
        weights[layer.weight] = torch.randn(sizes[i + 1], sizes[i], generator=generator)
        weights[layer.bias] = torch.randn(sizes[i + 1], generator=generator)
    orders = [torch.randperm(12, generator=generator) for _ in range(depth)]
    found = match_units(weights, permuted(weights, layers, orders), layers)
    assert all(
        torch.equal(order[back], torch.arange(12))
        for order, back in zip(orders, found, strict=True)
    )


def test_one_hidden_layer_is_matched_as_by_enumeration() -> None:
    from itertools import permutations

    generator = torch.Generator().manual_seed(0)
    layers = [Layer("a", "b"), Layer("c", None)]
    first, second = (
        {
            "a": torch.randn(4, 3, generator=generator),
            "b": torch.randn(4, generator=generator),
            "c": torch.randn(2, 4, generator=generator),
        }
        for _ in range(2)
    )

    def agreement(order: torch.Tensor) -> float:
        other = permuted(second, layers, [order])
        return sum(float((first[n] * other[n]).sum()) for n in first)

    best = max(agreement(torch.tensor(order)) for order in permutations(range(4)))
    (found,) = match_units(first, second, layers)
    assert agreement(found) == pytest.approx(best, rel=1e-6)


def test_the_line_of_a_linear_network_is_a_parabola(out: Path, settings: sb.Settings) -> None:
    """Of a linear function the square loss is quadratic along the line: no barrier, exactly."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Linear(8, 1)

        def forward(self, x):
            return self.map(x).squeeze(-1)

    model = sb.as_model(Linear, sb.Recipe(loss="square", lr=0.02))
    result = trained(model, out, settings)
    line = sb.barrier(result, result, (0, 1), points=9, step=0)
    second = np.diff(line.losses, 2)
    assert np.allclose(second, second[0], rtol=1e-3, atol=1e-6) and second[0] > 0
    assert line.height < 1e-6, "a convex loss lies below its chord"


def test_what_cannot_be_aligned_says_what_can(out: Path, settings: sb.Settings) -> None:
    for model, message in (
        (Residual, "changes when its hidden units are put in another order; aligned=True supports"),
        (Normed, "the network has '1.weight'; aligned=True supports chains of nn.Linear"),
    ):
        result = trained(model, out, settings)
        assert sb.barrier(result, result, (0, 1)).height >= 0
        with pytest.raises(ModelError, match=message):
            sb.barrier(result, result, (0, 1), aligned=True)


def test_mistakes(deep: sb.CellResult, small_result: sb.CellResult, out: Path, settings) -> None:
    with pytest.raises(RecordError, match="--keep-weights"):
        sb.barrier(small_result, small_result, (0, 1))
    with pytest.raises(ConfigurationError, match="points must be 2 or more"):
        sb.barrier(deep, deep, (0, 1), points=1)
    with pytest.raises(ModelError, match="there is no line between these networks"):
        sb.barrier(deep, trained("mlp width=8", out, settings), (0, 1))


def test_mlps_are_aligned(out: Path, settings: sb.Settings) -> None:
    result = trained("mlp width=16", out, settings)
    apart, joined = (sb.barrier(result, result, (0, 1), aligned=a) for a in (False, True))
    assert apart.losses[0] == joined.losses[0]
    assert apart.losses[-1] == pytest.approx(joined.losses[-1], abs=1e-5)
