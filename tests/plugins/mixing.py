"""Mixers of sequence models: all positions at once against one at a time, and how they train."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream

SEQUENCES = sb.Interface(sb.Tokens(3, 11), sb.TokenLogits(3, 11))


def mixer(reference: str, length: int, spread: float = 0.5) -> nn.Module:
    """A mixer in double precision, its weights moved so that a wrong term shows."""
    torch.manual_seed(0)
    built = installed().model(reference).mixer(length).double().eval()
    for parameter in built.parameters():
        parameter.data += spread * torch.randn_like(parameter)
    return built


def rows(reference: str, length: int, batch: int = 2) -> Tensor:
    """Input of a mixer, (B, T, width), in double precision."""
    width = installed().model(reference).width
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, length, width, generator=generator, dtype=torch.float64)


@torch.no_grad()
def check_steps(reference: str, length: int = 11) -> None:
    """One position at a time gives the same as all at once, and carries what it says."""
    one, x = mixer(reference, length), rows(reference, length)
    state, outputs = one.initial_state(len(x)), []
    for t in range(length):
        # What is carried to the last position, the most there is.
        carried = state
        y, state = one.step(x[:, t], state)
        outputs.append(y)
    torch.testing.assert_close(torch.stack(outputs, 1), one(x), rtol=1e-9, atol=1e-9)
    numbers = sum(tensor[0].numel() for tensor in tensors(carried))
    assert installed().model(reference).mixer_state(length) == numbers


def tensors(state: object) -> list[Tensor]:
    """Those of a state: a tensor, or a tuple of states."""
    if isinstance(state, Tensor):
        return [state]
    assert isinstance(state, tuple)
    return [tensor for part in state for tensor in tensors(part)]


@torch.no_grad()
def check_long(reference: str, length: int = 256) -> None:
    """In single precision the output at many positions is finite, and close to the exact one."""
    exact, x = mixer(reference, length, spread=0.0), rows(reference, length)
    expected = exact(x)
    found = exact.float()(x.float())
    assert found.isfinite().all()
    torch.testing.assert_close(found, expected.float(), rtol=1e-3, atol=1e-3)


@torch.no_grad()
def check_half(reference: str, length: int = 20) -> None:
    """Half precision, by autocast or throughout, stays close to the exact output."""
    one, x = mixer(reference, length, spread=0.0).float(), rows(reference, length).float()
    exact = one(x)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = one(x)
    half = one.to(torch.bfloat16)(x.to(torch.bfloat16))
    assert half.dtype == torch.bfloat16
    for found in (mixed, half):
        assert (found.float() - exact).norm() < 0.05 * exact.norm()


TASK = "markov symbols=2 length=12"
"""Of its next symbol a single one tells nothing: what is learned has gone through the mixer."""


def check_learns(reference: str) -> None:
    """In fifty steps of a plain loop, one layer beats counting nothing.

    That it is stacked, and trained alike then, is a law of models, which the tests of the laws ask
    of every family; `check_evaluates` trains it as an evaluation does.
    """
    task = installed().task(TASK)
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    torch.manual_seed(0)
    network = installed().model(f"{reference} layers=1 mlp=0").build(task.interface)
    optimizer, loss = torch.optim.AdamW(network.parameters(), lr=0.01), task.losses()
    for step in range(50):
        batch = task.sample(world, Stream.from_seed(0, Purpose.TRAIN, step), 32)
        optimizer.zero_grad()
        loss["cross-entropy"](network(batch.x), batch).backward()
        optimizer.step()
    held_out = task.sample(world, Stream.from_seed(0, Purpose.EVAL), 256)
    outputs = {**task.references(world, held_out), "own": network.eval()(held_out.x).detach()}
    scores = {name: task.score(each, held_out)["kl"].item() for name, each in outputs.items()}
    least = scores["trivial"] - 0.1 * (scores["trivial"] - scores["optimal"])
    assert scores["own"] < least < scores["trivial"], scores


def check_evaluates(reference: str, out: Path, settings: sb.Settings, stacked: bool = True) -> None:
    """In fifty steps, two replicas of one layer beat counting nothing.

    stacked: whether vmap must take the mixer.
    """
    result = sb.evaluate(
        TASK,
        f"{reference} layers=1 mlp=0 batch_size=32 lr=0.01",
        protocol=sb.Protocol(seeds=2, budget=1_600, until="budget", evaluation_samples=256),
        out=out,
        settings=settings,
    )
    frame = result.measured.trajectories.to_pandas()
    last = frame[frame["step"] == frame["step"].max()]
    assert len(last) == 2 and (last["progress"] > 0.1).all(), last["progress"].tolist()
    assert not stacked or result.record.compute.looped is None
