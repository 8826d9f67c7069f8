"""A measurement that is cheap, and whose rows one knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.papers.measuring import MeasuredGrid
from synthbench.registry import registry as registries
from synthbench.registry.registry import Registry
from tests.registry.points import FakePoint, load, plugin

ASKED: list[tuple[int, Sequence[int]]] = []
"""Size and seeds of every call."""


class Powers(sb.Measurement):
    """The size to the power, times 1 plus the seed; even seeds have no `odd`, and 7 never ends."""

    name: ClassVar[str] = "powers"
    headline: ClassVar[tuple[str, ...]] = ("size",)

    size: int = 2
    power: int = 2
    kind: str = "plain"

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        ASKED.append((self.size, list(seeds)))
        return [
            {
                "cost": inf if seed == 7 else float(self.size**self.power * (1 + seed)),
                "odd": 1.0 if seed % 2 else nan,
                "is_large": float(self.size > 4),
            }
            for seed in seeds
        ]


@pytest.fixture(autouse=True)
def provided(monkeypatch: pytest.MonkeyPatch) -> None:
    """`powers` is installed, beside what is."""
    ASKED.clear()
    own = load(FakePoint("mine", plugin(register_measurements=[Powers])))
    host = registries.installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, *own.plugins])
    assert Registry(host).names(registries.MEASUREMENT)["powers"].name == "mine"


@pytest.fixture
def grid(tmp_path: Path) -> MeasuredGrid:
    """Three sizes, five seeds."""
    return MeasuredGrid(["powers size=[2,4,8]"], 5, tmp_path / "grid")
