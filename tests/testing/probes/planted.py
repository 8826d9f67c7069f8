"""Probes with one fault each, and the law that must find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import field_validator
from torch import Tensor

import synthbench as sb


class SoundProbe(sb.Probe):
    """Norm of all weights, and the loss on fresh samples."""

    name: ClassVar[str] = "sound-probe"

    scale: float = 1.0

    def measure(self, view: sb.View) -> Mapping[str, Tensor]:
        norm = torch.cat([p.flatten() for p in view.parameters.values()]).norm()
        batch = view.sample(16)
        return {
            "norm": self.scale * norm,
            "loss": view.loss(view.forward(view.parameters, batch.x), batch),
        }


class Undocumented(SoundProbe):
    name: ClassVar[str] = "Bad Name"


class Doubling(SoundProbe):
    """A validator that changes what it checks."""

    @field_validator("scale")
    @classmethod
    def _twice(cls, scale: float) -> float:
        return 2 * scale


class PerLayer(SoundProbe):
    """A table in place of a number or a curve."""

    def measure(self, view):
        norms = torch.stack([p.norm() for p in view.parameters.values()])
        return {"norms": torch.stack([norms, norms.square()])}


class Complex(SoundProbe):
    """A complex number."""

    def measure(self, view):
        return {"norm": super().measure(view)["norm"] * torch.ones((), dtype=torch.complex64)}


class Raising(SoundProbe):
    """Looks for a layer that no network has."""

    def measure(self, view):
        return {"norm": view.parameters["no.such.layer"].norm()}


class GlobalNoise(SoundProbe):
    """Draws its direction from torch's generator."""

    def measure(self, view):
        values = dict(super().measure(view))
        torch.rand(3)
        return values


class Counting(SoundProbe):
    """Numbers that depend on how often it was called."""

    calls: ClassVar[list[int]] = []

    def measure(self, view):
        self.calls.append(1)
        values = dict(super().measure(view))
        return {**values, "norm": values["norm"] + len(self.calls)}


class Writing(SoundProbe):
    """Normalizes the weights where they are."""

    def measure(self, view):
        values = super().measure(view)
        for parameter in view.parameters.values():
            parameter.mul_(0.5)
        return values


class WritingTheBatch(SoundProbe):
    """Flips the labels of the batch where they are."""

    def measure(self, view):
        values = super().measure(view)
        view.batch.y.neg_()
        return values


class ChangingNames(SoundProbe):
    """Names what has moved only once something has."""

    def measure(self, view):
        values = dict(super().measure(view))
        weights = zip(view.parameters.values(), view.initial.values(), strict=True)
        if torch._C._functorch.maybe_current_level() is None:
            moved = any(not torch.equal(now, start) for now, start in weights)
            return {**values, "moved": torch.ones(())} if moved else values
        return values


class Infinite(SoundProbe):
    """Divides by a movement that is zero at initialization."""

    def measure(self, view):
        values = dict(super().measure(view))
        weights = zip(view.parameters.values(), view.initial.values(), strict=True)
        moved = sum((now - start).square().sum() for now, start in weights)
        return {**values, "ratio": values["norm"] / moved}


class Branching(SoundProbe):
    """A Python branch on a number."""

    def measure(self, view):
        values = dict(super().measure(view))
        return {**values, "large": torch.ones(()) * (1 if values["norm"] > 1 else 0)}


class AskingForVmap(SoundProbe):
    """Something else when it is vmapped."""

    def measure(self, view):
        values = dict(super().measure(view))
        factor = 1.0 if torch._C._functorch.maybe_current_level() is None else 2.0
        return {**values, "norm": factor * values["norm"]}


class OnTheCpu(SoundProbe):
    """Makes a tensor without saying where."""

    def measure(self, view):
        values = dict(super().measure(view))
        weights = torch.linspace(0, 1, view.batch.x.shape[0])
        output = view.forward(view.parameters, view.batch.x)
        return {**values, "weighted": (output.flatten() * weights).mean()}


FAULTS: list[tuple[sb.Probe, str]] = [
    (Undocumented(), "name-and-docstring"),
    (Doubling(scale=3.0), "config-round-trips"),
    (PerLayer(), "measures"),
    (Complex(), "measures"),
    (Raising(), "measures"),
    (GlobalNoise(), "no-global-random-state"),
    (Counting(), "same-view-same-numbers"),
    (Writing(), "read-only"),
    (WritingTheBatch(), "read-only"),
    (ChangingNames(), "same-names"),
    (Infinite(), "finite"),
    (Branching(), "vmaps"),
    (AskingForVmap(), "vmapped-equals-looped"),
    (OnTheCpu(), "device-agnostic"),
]
