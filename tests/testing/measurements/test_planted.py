"""A fault planted in a measurement is found by the law it breaks, and by no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.testing import check_measurement, examine_measurement

CALLS = count()


class Sound(sb.Measurement):
    """Ten times the seed."""

    name: ClassVar[str] = "sound"
    size: int = 3

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        return [{"ten": 10.0 * seed, "none": float("nan")} for seed in seeds]


class TooFew(Sound):
    """Leaves a seed out."""

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        return super().measure(seeds)[1:]


class Restless(Sound):
    """Another number at each call."""

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        call = next(CALLS)
        return [{"ten": 10.0 * call} for _ in seeds]


class Crowded(Sound):
    """Counts the others."""

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        return [{"ten": float(len(seeds))} for _ in seeds]


class Placed(Sound):
    """Counts from the first that is asked."""

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        return [{"ten": float(place)} for place, _ in enumerate(seeds)]


def test_a_sound_one_keeps_all() -> None:
    assert check_measurement(Sound()).facts["measures"] == "ten, none"


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (TooFew, {"rows-are-numbers"}),
        (Restless, {"same-again", "seeds-stand-alone"}),
        (Crowded, {"seeds-stand-alone"}),
        (Placed, {"seeds-stand-alone"}),
    ],
)
def test_a_faulty_one_breaks_its_law(found: type[Sound], broken: set[str]) -> None:
    assert {finding.law for finding in examine_measurement(found()).findings} == broken
