"""Tasks that do not stand on the replica axis, or on another device."""

from __future__ import annotations

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor
from tests.testing.tasks.wider import InContextRegression, Regression


class BranchesOnData(Dictator):
    """A Python `if` on numbers."""

    def references(self, world, batch):
        if bool(batch.x.sum() > 1e9):
            return {}
        return super().references(world, batch)


class LooksAtNeighbours(Dictator):
    """Labels that depend on the other replicas."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        if torch._C._functorch.is_batchedtensor(batch.y):
            raw = torch._C._functorch.get_unwrapped(batch.y)
            return sb.Batch(batch.x, batch.y * torch.sign(raw.sum() + 0.5))
        return batch


class KnowsAboutVmap(Dictator):
    """Other samples under vmap."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        stacked = torch._C._functorch.is_batchedtensor(batch.x)
        return sb.Batch(-batch.x, -batch.y) if stacked else batch


class AsksWhetherItIsTraced(Successor):
    """Another score while it is recorded."""

    def score(self, output, batch):
        factor = 2.0 if torch._C._len_torch_dispatch_stack() else 1.0
        return {name: factor * v for name, v in super().score(output, batch).items()}


class OnTheCpu(Dictator):
    """A tensor made on the CPU, wherever the world is."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y + torch.zeros(size))


class WorldOnTheCpu(Dictator):
    """A world that is made on the CPU."""

    def world(self, rng):
        drawn = super().world(rng)
        return torch.cat([drawn.new_zeros(1), drawn])[1:] + torch.zeros(1, dtype=torch.int64)


class SinglePrecision(Dictator):
    """A matrix of float32, whatever the precision."""

    def score(self, output, batch):
        mean = torch.full((len(output),), 1 / len(output), dtype=torch.float32)
        return {"accuracy": ((torch.sign(output * batch.y) + 1) / 2) @ mean.to(output.device)}


class OtherNumbersUnderVmap(Regression):
    """Real labels that differ under vmap by more than their last bits."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        stacked = torch._C._functorch.is_batchedtensor(batch.x)
        return sb.Batch(batch.x, batch.y + (0.01 if stacked else 0.0))


class SolvesInBfloat16(InContextRegression):
    """A linear system in whatever precision the inputs have."""

    def references(self, world, batch):
        square = batch.x[:, :3, :].mT @ batch.x[:, :3, :]
        torch.linalg.solve(square + torch.eye(3, device=square.device, dtype=square.dtype), square)
        return super().references(world, batch)


REPLICA_FAULTS: dict[type[sb.Task], str] = {
    BranchesOnData: "vmaps",
    LooksAtNeighbours: "replica-independence",
    KnowsAboutVmap: "vmapped-equals-looped",
    AsksWhetherItIsTraced: "traced-equals-called",
    OnTheCpu: "device-agnostic",
    WorldOnTheCpu: "device-agnostic",
    SinglePrecision: "any-precision",
    OtherNumbersUnderVmap: "vmapped-equals-looped",
    SolvesInBfloat16: "any-precision",
}
"""Fault -> the law that must find it."""
